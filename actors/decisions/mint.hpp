#pragma once
// How much energy a cycle gets, and into which accounts.
#include <algorithm>

#include "actors/decisions/amounts.hpp"
#include "messages/budget.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// Share of the full mint that a posture allows.
[[nodiscard]] constexpr double posture_factor(Posture posture) {
  switch (posture) {
    case Posture::explore:
      return 1;
    case Posture::exploit:
      return 0.6;
    case Posture::crisis:
      return 0.3;
    case Posture::hold:
      return 0;
  }
  return 0;
}

/// 1 with no regression in the last three cycles, halved by each, never under 0.125.
[[nodiscard]] constexpr double headroom(std::uint64_t regressions) {
  constexpr double lowest = 0.125;
  double room = 1;
  for (std::uint64_t i = 0; i < regressions && room > lowest; ++i) room /= 2;
  return room;
}

/// What an undisturbed cycle mints: mint_per_region * regions, at most energy_max, at least 0.
[[nodiscard]] constexpr Energy full_mint(const BudgetConfig& budget, std::uint32_t regions) {
  if (budget.mint_per_region <= 0 || regions == 0) return {};
  if (budget.mint_per_region > energy_max.thousandths / static_cast<std::int64_t>(regions))
    return energy_max;
  return {budget.mint_per_region * static_cast<std::int64_t>(regions)};
}

/// The emergency pool's share of a mint. Adaptive: emergency_share * (0.5 + 2 * the regions' mean
/// volatility over the cycle that ends, [0, 1]), so that a quiet cycle gives half of the fixed
/// share and a shaken one up to two and a half of it.
[[nodiscard]] constexpr double emergency_share(const BudgetConfig& budget, double volatility) {
  if (budget.emergency_sizing == PoolSizing::fixed) return budget.emergency_share;
  return budget.emergency_share * clip(0.5 + 2 * clip(volatility, 0, 1), 0.5, 2.5);
}

/// What a cycle's mint is made from, beside the config.
struct MintInputs {
  Posture posture{};
  std::uint64_t regressions{};  ///< of the last three cycles
  double volatility{};          ///< mean of the regions' over the cycle that ends, [0, 1]
  Energy compaction;            ///< the pruning allowance: a mint of its own beside `minted`
};

/// One cycle's mint: full mint * posture * headroom, then the pool's share to the pool and
/// safety_share to the safety reserve, the rest to the treasury. Every part is rounded down but
/// the treasury, so these three sum to `minted`.
[[nodiscard]] constexpr Mint mint_of(Cycle cycle, const MintInputs& inputs,
                                     const BudgetConfig& budget, std::uint32_t regions) {
  Mint mint;
  mint.cycle = cycle;
  mint.posture = inputs.posture;
  mint.headroom = headroom(inputs.regressions);
  mint.minted =
      share_of(full_mint(budget, regions), posture_factor(inputs.posture) * mint.headroom);
  mint.emergency = share_of(mint.minted, emergency_share(budget, inputs.volatility));
  mint.safety = std::min(share_of(mint.minted, budget.safety_share), mint.minted - mint.emergency);
  mint.treasury = mint.minted - mint.emergency - mint.safety;
  mint.compaction = inputs.compaction;
  return mint;
}

/// What the pool (or the safety reserve) keeps over a cycle's end: `cycles` shares of a full mint.
[[nodiscard]] constexpr Energy kept_max(const BudgetConfig& budget, std::uint32_t regions,
                                        double share, std::uint32_t cycles) {
  const Energy one = share_of(full_mint(budget, regions), share);
  if (one.thousandths == 0 || cycles == 0) return {};
  if (one.thousandths > energy_max.thousandths / static_cast<std::int64_t>(cycles))
    return energy_max;
  return {one.thousandths * static_cast<std::int64_t>(cycles)};
}

}  // namespace esper
