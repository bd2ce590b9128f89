#pragma once
// What befalls a region that is trained without tensors: it is calm, shakes, melts down, blows up
// in one step, and recovers; all drawn from the seed.
#include <cstdint>

#include "actors/decisions/random.hpp"
#include "messages/telemetry.hpp"

namespace esper::sim {

enum class Weather : std::uint8_t { calm, shaking, melting };

}  // namespace esper::sim

namespace esper {
ESPER_ENUM_NAMES(sim::Weather, "calm", "shaking", "melting");
}  // namespace esper

namespace esper::sim {

class RegionWeather {
 public:
  RegionWeather(std::uint64_t seed, RegionId region);

  /// The next window begins. `helped`: a scaffold stands there at work. `quiet`: nothing new comes.
  void next(bool helped, bool quiet);
  /// A rehearsal's or a destabilising seed's doing, for so many windows at least.
  void disturb(Weather kind, std::uint32_t windows);
  void blow_up() { blows_up_at_ = 5; }

  [[nodiscard]] Weather now() const { return now_; }
  /// The step of this window whose loss is not finite, from 1; 0: none.
  [[nodiscard]] std::uint32_t blows_up_at() const { return blows_up_at_; }
  /// Fills in what the bands are judged by; `loss`: as the seeds leave it.
  void tell(RegionTelemetry& seen, double loss, double loss_before);

 private:
  RandomStream stream_, noise_;
  std::uint64_t calmer_;  ///< times, in the whole run
  Weather now_{Weather::calm};
  std::uint32_t left_{};    ///< windows
  std::uint32_t helped_{};  ///< windows in a row
  std::uint32_t blows_up_at_{};
};

}  // namespace esper::sim
