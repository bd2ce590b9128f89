#pragma once
// Tamiyo's stance, from the regions' reports and from nothing else.
#include <string>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/turn.hpp"

namespace esper {

/// What earlier windows leave behind for the next judgement.
struct PostureHistory {
  Posture posture{Posture::explore};
  std::uint32_t windows_without_crisis{};
  std::uint32_t windows_clean{};           ///< in a row: nothing non-finite, no regression
  std::vector<std::uint32_t> regressions;  ///< of the last cycle's windows, newest last
  double learning_rate_peak{};             ///< highest ratio that all regions reached
  double loss_sum{};                       ///< of the cycle under way
  std::uint32_t loss_windows{};
  std::uint32_t cycle_windows_seen{};
  std::vector<double> cycle_losses;  ///< mean loss of the last closed cycles, newest last
};

struct PostureJudgement {
  Posture posture{};
  std::string reason;
};

/// A cycle whose mean loss fell by less than this share of the one before was flat.
constexpr double flat_cycle_gain = 0.01;
constexpr std::uint32_t crisis_windows_to_leave = 2;
constexpr std::uint32_t regressions_to_hold = 2;

/// One window's reports of the regions present. The first of these that holds:
///   crisis   a region reports one; left after two windows in a row without
///   hold     something non-finite, or two regressions within one cycle's windows; left after one
///            cycle of windows with neither
///   exploit  the learning rate is in decay in all regions (under gates.learning_rate_ratio_min of
///            its highest so far), or the loss was flat over the last two closed cycles, or
///            headroom is below 1
///   explore  else
/// With no region present nothing is known and nothing changes.
[[nodiscard]] PostureJudgement judge_posture(PostureHistory& history,
                                             const std::vector<RegionReport>& reports,
                                             double headroom, std::uint32_t cycle_windows,
                                             const GateConfig& gates);

}  // namespace esper
