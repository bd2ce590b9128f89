#pragma once
// When watching and trying costs too much: isolated seeds pause, never the trainer.
#include <limits>

#include "messages/telemetry.hpp"

namespace esper {

/// `windows_over` counts windows in a row over the limit.
struct Overhead {
  std::uint32_t windows_over{};
  bool paused{};

  static constexpr auto schema = record("Overhead", field("windows_over", &Overhead::windows_over),
                                        field("paused", &Overhead::paused));
};

constexpr std::uint32_t overhead_windows_tolerated = 2;

/// Shadow and gate passes over the host's own training, in operations by formula.
[[nodiscard]] inline double overhead_ratio(const OperationCount& operations) {
  const double extra =
      static_cast<double>(operations.shadow) + static_cast<double>(operations.gate);
  if (extra == 0) return 0;
  if (operations.training == 0) return std::numeric_limits<double>::infinity();
  return extra / static_cast<double>(operations.training);
}

/// One closed window. Over `ratio_max` for two windows in a row pauses isolated seeds; the first
/// window that is not over it lets them go on. `control_share` is the share of the window's time
/// that the control side took on the trainer's thread: 0 unless decisions.use_timing. A
/// `ratio_max` of 0 is no bound. Returns whether they pause.
inline bool observe(Overhead& overhead, const OperationCount& operations, double ratio_max,
                    double control_share = 0) {
  const bool over = ratio_max > 0 && overhead_ratio(operations) + control_share > ratio_max;
  overhead.windows_over = over ? overhead.windows_over + 1 : 0;
  overhead.paused = overhead.windows_over >= overhead_windows_tolerated;
  return overhead.paused;
}

}  // namespace esper
