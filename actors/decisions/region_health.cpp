#include "actors/decisions/region_health.hpp"

#include "actors/decisions/number.hpp"
#include "actors/decisions/pricing.hpp"

namespace esper {
namespace {

/// Weight of a new stable window in the base: about ten windows of memory.
constexpr double base_rate = 0.1;

bool within(double value, double low, double high) { return value >= low && value <= high; }

}  // namespace

bool RegionHealth::in_crisis() const { return alarming_windows >= crisis_windows; }

bool rescued_window(const RegionTelemetry& seen, const GateConfig& gates) {
  return seen.steps_covered > 0 && seen.steps_missing == 0 && seen.non_finite == 0 &&
         seen.jitter <= gates.jitter_max && seen.drift <= gates.drift_max &&
         seen.diversity >= gates.diversity_min;
}

bool stable_window(const RegionTelemetry& seen, const GateConfig& gates) {
  return rescued_window(seen, gates) && finite(seen.loss_mean) && finite(seen.loss_sigma) &&
         within(seen.signal_rms, gates.signal_min, gates.signal_max) &&
         within(seen.signal_gradient, gates.signal_min, gates.signal_max) &&
         finite(seen.gradient_norm_max) &&
         seen.gradient_norm_max <= gates.gradient_spike_max * seen.gradient_norm_median;
}

std::vector<std::string_view> bands_left(const RegionTelemetry& seen, double volatility,
                                         const GateConfig& gates) {
  std::vector<std::string_view> left;
  if (!(seen.jitter <= gates.jitter_max)) left.push_back("jitter");
  if (!(seen.drift <= gates.drift_max)) left.push_back("drift");
  if (!(seen.diversity >= gates.diversity_min)) left.push_back("diversity");
  if (!within(seen.signal_rms, gates.signal_min, gates.signal_max)) left.push_back("signal_rms");
  if (!within(seen.signal_gradient, gates.signal_min, gates.signal_max))
    left.push_back("signal_gradient");
  if (volatility > crisis_volatility) left.push_back("volatility");
  return left;
}

void observe(RegionHealth& health, RegionId region, Window expected, const RegionTelemetry& seen,
             const GateConfig& gates) {
  const bool gap = health.last.value != 0 && expected != health.last + 1;
  const bool missing = seen.region != region || seen.window != expected || seen.steps_covered == 0;
  health.last = expected;
  if (gap || missing) {
    health.stable_windows = 0;
    if (!health.in_crisis()) health.alarming_windows = 0;
  }
  if (missing) return;
  health.non_finite = seen.non_finite > 0;
  health.volatility = volatility(seen.loss_sigma, health.sigma_base);
  const bool alarming = bands_left(seen, health.volatility, gates).size() >= 2;
  health.alarming_windows = alarming ? health.alarming_windows + 1 : 0;
  if (!stable_window(seen, gates)) {
    health.stable_windows = 0;
    return;
  }
  ++health.stable_windows;
  if (health.sigma_base == 0)
    health.sigma_base = seen.loss_sigma;
  else
    health.sigma_base += base_rate * (seen.loss_sigma - health.sigma_base);
}

}  // namespace esper
