#pragma once
// Bounds and shares of energy, the same for a region's book and for the ledger.
#include <algorithm>

#include "actors/decisions/number.hpp"
#include "messages/units.hpp"

namespace esper {

/// Far above any mint and far below overflow: no single amount may exceed it.
constexpr Energy energy_max{1'000'000'000'000'000};

/// An amount from a message, taken for what it can be at most, so that sums stay in range.
[[nodiscard]] constexpr Energy sane(Energy energy) {
  return std::clamp(energy, Energy{0}, energy_max);
}

/// `share` of `whole` (>= 0), rounded down, within [0, whole]. A share that is no number is 0.
[[nodiscard]] constexpr Energy share_of(Energy whole, double share) {
  if (!finite(share)) return {};
  const double exact = static_cast<double>(whole.thousandths) * clip(share, 0, 1);
  return std::clamp(Energy{static_cast<std::int64_t>(exact)}, Energy{0}, whole);
}

}  // namespace esper
