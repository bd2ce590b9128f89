#pragma once
// Cycles are counted in windows, from 1; `cycle_windows` of 0 counts as 1.
#include <algorithm>

#include "messages/units.hpp"

namespace esper {

/// The cycle of a window.
[[nodiscard]] constexpr Cycle cycle_of(Window window, std::uint32_t cycle_windows) {
  const std::uint64_t windows = std::max<std::uint32_t>(cycle_windows, 1);
  return {window.value == 0 ? 1 : (window.value - 1) / windows + 1};
}

/// The last window of a cycle.
[[nodiscard]] constexpr Window last_window(Cycle cycle, std::uint32_t cycle_windows) {
  return {cycle.value * std::max<std::uint32_t>(cycle_windows, 1)};
}

}  // namespace esper
