#pragma once
// Small arithmetic that is the same on every machine: no libm behind it.

namespace esper {

/// False for NaN and both infinities.
[[nodiscard]] constexpr bool finite(double value) { return value - value == 0; }

/// `value` within [low, high]; NaN becomes `high`, which callers choose as the careful side.
[[nodiscard]] constexpr double clip(double value, double low, double high) {
  if (value < low) return low;
  return value <= high ? value : high;
}

}  // namespace esper
