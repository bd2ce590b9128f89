#include "actors/spoiled_telemetry.hpp"

#include <algorithm>
#include <limits>

#include "actors/decisions/random.hpp"

namespace esper {

namespace {

constexpr std::size_t windows_remembered = 4;

using Limits = std::numeric_limits<double>;

void set_all(RegionTelemetry& seen, double value) {
  seen.loss_mean = seen.loss_sigma = seen.jitter = seen.drift = seen.diversity = value;
  seen.gradient_norm_max = seen.signal_rms = value;
  for (auto& seed : seen.seeds) {
    seed.gate.loss_with = seed.relative_norm = value;
    seed.alpha = value;
  }
}

void spoil_region(WindowReport& report, const Fault& fault,
                  const std::vector<RegionTelemetry>& before) {
  const RegionId region = region_of(fault);
  const auto seen = std::find_if(report.regions.begin(), report.regions.end(),
                                 [&](const auto& one) { return one.region == region; });
  if (seen == report.regions.end()) return;
  switch (fault.kind) {
    case FaultKind::telemetry_nan:
      return set_all(*seen, Limits::quiet_NaN());
    case FaultKind::telemetry_absurd: {
      RandomStream stream(fault.at_ms, "sim.absurd", report.window.value);
      constexpr double absurd[]{
          Limits::max(), Limits::lowest(), Limits::denorm_min(), Limits::infinity(), -1.0, 1e30};
      set_all(*seen, absurd[stream.below(std::size(absurd))]);
      seen->steps_covered = static_cast<std::uint32_t>(stream.next());
      return;
    }
    case FaultKind::telemetry_stale:
      for (const auto& older : before)
        if (older.region == region) *seen = older;
      return;
    default: {  // doubled
      const auto copy = *seen;
      report.regions.insert(seen, copy);
    }
  }
}

}  // namespace

bool TelemetrySpoiler::spoil(WindowReport& report, const std::vector<Fault>& holding) {
  if (const auto again = told_.find(report.window); again != told_.end()) {
    report.regions = again->second;
    return false;
  }
  const auto honest = report.regions;
  for (const auto& fault : holding) spoil_region(report, fault, before_);
  before_ = honest;
  told_[report.window] = report.regions;
  if (told_.size() > windows_remembered) told_.erase(told_.begin());
  return true;
}

}  // namespace esper
