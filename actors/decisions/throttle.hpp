#pragma once
// The inverse throttle: the more growth spends and means to spend, the less may be pruned.
#include <optional>

#include "actors/decisions/mint.hpp"

namespace esper {

/// What the throttle remembers from cycle to cycle.
struct ThrottleHistory {
  double smoothed{};           ///< thousandths: EMA over three cycles of spend and forecast
  std::optional<Energy> last;  ///< the last cycle's own value, before it was held down
};

struct ThrottleInputs {
  Cycle cycle;             ///< that is minted
  Energy spend, forecast;  ///< of the regions, in the cycle that ended and at its end
  Posture posture{};       ///< of the cycle that is minted
  bool zone_active{};      ///< anywhere
  std::uint32_t regions{};
};

/// The full allowance: compaction_share of an undisturbed cycle's mint. Not of this cycle's: growth
/// that is quiet mints less (exploit, headroom), and pruning is to have the freer hand then.
[[nodiscard]] constexpr Energy pruning_base(const BudgetConfig& budget, std::uint32_t regions) {
  return share_of(full_mint(budget, regions), budget.compaction_share);
}

/// At most this while things are so: nothing in crisis or hold, zone_share of the full allowance
/// while any zone is active.
[[nodiscard]] constexpr Energy pruning_cap(const BudgetConfig& budget, std::uint32_t regions,
                                           Posture posture, bool zone_active) {
  const Energy base = pruning_base(budget, regions);
  if (posture == Posture::crisis || posture == Posture::hold) return {};
  return zone_active ? share_of(base, budget.zone_share) : base;
}

/// One cycle's allowance:
///   value     = clamp(base - throttle * EMA3(spend + forecast), 0, cap)
///   allowance = min(value, last cycle's value)
/// so one calm cycle has to pass before it rises, and after a crisis or a zone likewise.
/// THROTTLE-1: with more spend or forecast at any point no allowance at or after it is larger.
[[nodiscard]] constexpr PruningAllowance next_allowance(ThrottleHistory& history,
                                                        const ThrottleInputs& inputs,
                                                        const BudgetConfig& budget) {
  constexpr double weight = 0.5;          // 2 / (3 + 1)
  constexpr double throttle_max = 1'000;  // and what a throttle that is no number counts as
  const Energy spend = sane(inputs.spend), forecast = sane(inputs.forecast);
  history.smoothed +=
      weight * (static_cast<double>((spend + forecast).thousandths) - history.smoothed);
  const Energy base = pruning_base(budget, inputs.regions);
  const double full = static_cast<double>(base.thousandths);
  const double taken = clip(budget.throttle, 0, throttle_max) * history.smoothed;
  const double left = full - clip(taken, 0, full);
  const Energy value =
      std::min(Energy{static_cast<std::int64_t>(left)},
               pruning_cap(budget, inputs.regions, inputs.posture, inputs.zone_active));
  const Energy allowance = std::min(value, history.last.value_or(value));
  history.last = value;
  return {inputs.cycle, allowance, spend, forecast, history.smoothed};
}

}  // namespace esper
