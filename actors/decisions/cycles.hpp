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

/// The checkpoint whose boundary closes this window, counted from 1; 0: it is none. A checkpoint
/// ends every `checkpoint_cycles` cycles (0: there are none).
[[nodiscard]] constexpr std::uint64_t checkpoint_at(Window window, std::uint32_t cycle_windows,
                                                    std::uint32_t checkpoint_cycles) {
  const std::uint64_t windows =
      std::uint64_t{std::max<std::uint32_t>(cycle_windows, 1)} * checkpoint_cycles;
  return windows > 0 && window.value % windows == 0 ? window.value / windows : 0;
}

/// The last window of a cycle.
[[nodiscard]] constexpr Window last_window(Cycle cycle, std::uint32_t cycle_windows) {
  return {cycle.value * std::max<std::uint32_t>(cycle_windows, 1)};
}

}  // namespace esper
