#include "sim/check_throttle.hpp"

#include <algorithm>

namespace esper::sim {

void ThrottleCheck::take(const SeenTurn& turn, Energy spent) {
  for (const auto& report : turn.reports) forecasts_[report.region] = report.forecast;
  if (!turn.strategy || !turn.strategy->pruning || !turn.strategy->mint) return;
  const auto& told = *turn.strategy->pruning;
  const auto& budget = config_.budget;
  const auto wrong = [&](const std::string& what) {
    findings_.report("THROTTLE-1", "cycle " + std::to_string(told.cycle.value) + ": " + what);
  };
  std::int64_t forecast = 0;
  for (const auto& [region, energy] : forecasts_) forecast += energy.thousandths;
  if (told.spend != spent)
    wrong("spend " + std::to_string(told.spend.thousandths) + ", by movements " +
          std::to_string(spent.thousandths));
  if (told.forecast.thousandths != forecast)
    wrong("forecast " + std::to_string(told.forecast.thousandths) + ", by reports " +
          std::to_string(forecast));
  smoothed_ = (smoothed_ + static_cast<double>(spent.thousandths + forecast)) / 2;
  const auto full = static_cast<double>(budget.mint_per_region * regions_);
  const double base = full * budget.compaction_share;
  const auto posture = turn.strategy->mint->posture;
  // A zone that this turn opened may have come after its mint.
  const auto& zones = turn.strategy->zones.zones;
  const bool old_zone =
      std::ranges::any_of(zones, [&](const auto& zone) { return zone.since < turn.window; });
  const auto value = [&](bool zone_active) {
    double cap = zone_active ? base * budget.zone_share : base;
    if (posture == Posture::crisis || posture == Posture::hold) cap = 0;
    return static_cast<std::int64_t>(std::clamp(base - budget.throttle * smoothed_, 0.0, cap));
  };
  const Bounds now{value(!zones.empty()), value(old_zone)}, last = last_.value_or(now);
  last_ = now;
  const std::int64_t least = std::min(now.least, last.least), most = std::min(now.most, last.most);
  constexpr std::int64_t rounding = 1;
  if (told.allowance.thousandths > most + rounding)
    wrong("an allowance of " + std::to_string(told.allowance.thousandths) + " where " +
          std::to_string(most) + " is the most");
  if (told.allowance.thousandths < least - 1 - rounding)
    wrong("an allowance of only " + std::to_string(told.allowance.thousandths) + " instead of " +
          std::to_string(least));
}

}  // namespace esper::sim
