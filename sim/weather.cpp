#include "sim/weather.hpp"

#include <algorithm>
#include <array>

namespace esper::sim {

namespace {

constexpr std::uint64_t shakes_one_in = 70;  // windows
constexpr std::uint64_t melts_one_in = 260;
constexpr std::uint64_t blows_one_in = 400;
constexpr std::array<std::uint64_t, 3> climates{1, 5, 30};  // that all of it is seldomer by
constexpr std::uint32_t windows_of_help = 3;                // that end a melt-down

}  // namespace

RegionWeather::RegionWeather(std::uint64_t seed, RegionId region)
    : stream_(seed, "sim.weather", region.value),
      noise_(seed, "sim.noise", region.value),
      calmer_(climates.at(RandomStream(seed, "sim.climate").below(climates.size()))) {}

void RegionWeather::next(bool helped, bool quiet) {
  // All draws in every window: what one event does leaves the others' where they were.
  const bool shakes = stream_.below(shakes_one_in * calmer_) == 0,
             melts = stream_.below(melts_one_in * calmer_) == 0,
             blows = stream_.below(blows_one_in * calmer_) == 0;
  const auto length = static_cast<std::uint32_t>(stream_.below(6)),
             step = static_cast<std::uint32_t>(1 + stream_.below(9));
  blows_up_at_ = blows && !quiet ? step : 0;
  helped_ = helped ? helped_ + 1 : 0;
  if (left_ > 0) --left_;
  if (now_ == Weather::melting && helped_ >= windows_of_help) left_ = 0;
  if (left_ == 0) now_ = Weather::calm;
  if (quiet || now_ != Weather::calm) return;
  if (melts)
    disturb(Weather::melting, 16 + 2 * length);
  else if (shakes)
    disturb(Weather::shaking, 1 + length);
}

void RegionWeather::disturb(Weather kind, std::uint32_t windows) {
  now_ = std::max(now_, kind);
  left_ = std::max(left_, windows);
}

void RegionWeather::tell(RegionTelemetry& seen, double loss, double loss_before) {
  const double noise = noise_.uniform();
  seen.loss_mean = loss * (1 + 0.002 * noise);
  seen.loss_sigma = 0.02 + 0.002 * noise;
  seen.jitter = 0.01 + 0.01 * noise;
  seen.drift = (loss - loss_before) / loss_before;
  seen.diversity = 1 - 0.1 * noise;
  seen.signal_rms = seen.signal_gradient = 1;
  seen.gradient_norm_median = 1;
  seen.gradient_norm_max = 2 + noise;
  if (now_ == Weather::calm) return;
  seen.jitter += 0.2;
  seen.drift += 0.1;
  seen.loss_sigma *= 4;
  if (now_ == Weather::melting) {
    seen.diversity = 0.3;
    seen.signal_gradient = 0.01;
    seen.loss_mean *= 1.5;
  }
}

}  // namespace esper::sim
