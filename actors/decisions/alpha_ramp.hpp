#pragma once
// The blend schedule of one grafted seed. Alpha moves only in the window after a command; without
// one it stands still, so a silent control side never deepens a graft, nor a weaning.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "messages/schema.hpp"

namespace esper {

/// Stages are targets in (0, 1], strictly ascending, at least one. NaN fails every comparison.
[[nodiscard]] inline bool usable_alpha_stages(const std::vector<double>& stages) {
  double before = 0;
  for (const double stage : stages) {
    if (!(stage > before && stage <= 1)) return false;
    before = stage;
  }
  return !stages.empty();
}

/// `alpha` moves in a straight line from `from` to `to` during `ramp_steps` steps.
struct AlphaRamp {
  std::vector<double> stages;    ///< usable_alpha_stages
  std::uint32_t ramp_steps{1};   ///< steps of one window
  std::uint32_t stages_begun{};  ///< 0 before the first and after an escape
  std::uint32_t step{};          ///< steps taken of the present stage, at most ramp_steps
  double from{};
  double to{};
  double alpha{};  ///< of the present step, [0, 1]

  static constexpr auto schema = record(
      "AlphaRamp", field("stages", &AlphaRamp::stages), field("ramp_steps", &AlphaRamp::ramp_steps),
      field("stages_begun", &AlphaRamp::stages_begun), field("step", &AlphaRamp::step),
      field("from", &AlphaRamp::from), field("to", &AlphaRamp::to),
      field("alpha", &AlphaRamp::alpha));
};

/// At alpha = 0 with no stage begun. `window_steps` of 0 counts as 1.
[[nodiscard]] inline AlphaRamp alpha_ramp(std::vector<double> stages, std::uint32_t window_steps) {
  AlphaRamp ramp;
  ramp.stages = std::move(stages);
  ramp.ramp_steps = std::max<std::uint32_t>(window_steps, 1);
  return ramp;
}

/// Begins the next stage from where alpha stands; at the last stage only finishes it. A graft is
/// its first advance.
inline void advance(AlphaRamp& ramp) {
  if (ramp.stages_begun < ramp.stages.size()) ++ramp.stages_begun;
  ramp.from = ramp.alpha;
  ramp.to = ramp.stages_begun == 0 ? ramp.alpha : ramp.stages[ramp.stages_begun - 1];
  ramp.step = 0;
}

/// Begins the way down to the next lower stage, which is 0 below the first; at 0 it stays there.
/// One wean is one descent.
inline void descend(AlphaRamp& ramp) {
  const auto reached = std::lower_bound(ramp.stages.begin(), ramp.stages.end(), ramp.alpha);
  ramp.stages_begun = static_cast<std::uint32_t>(reached - ramp.stages.begin());
  ramp.from = ramp.alpha;
  ramp.to = ramp.stages_begun == 0 ? 0 : ramp.stages[ramp.stages_begun - 1];
  ramp.step = 0;
}

/// Alpha stays where it is until the next advance or descent.
inline void hold(AlphaRamp& ramp) {
  ramp.from = ramp.to = ramp.alpha;
  ramp.step = ramp.ramp_steps;
}

/// Alpha is 0 from the next step on; a later advance begins the stages again.
inline void escape(AlphaRamp& ramp) {
  ramp.alpha = ramp.from = ramp.to = 0;
  ramp.stages_begun = 0;
  ramp.step = ramp.ramp_steps;
}

/// Alpha of the coming step. The stage's target is met exactly in its last step and kept.
inline double take_step(AlphaRamp& ramp) {
  if (ramp.step < ramp.ramp_steps) {
    ++ramp.step;
    const double share = static_cast<double>(ramp.step) / static_cast<double>(ramp.ramp_steps);
    ramp.alpha = ramp.step == ramp.ramp_steps ? ramp.to : ramp.from + (ramp.to - ramp.from) * share;
  }
  return ramp.alpha;
}

/// True when the last stage's target is met.
[[nodiscard]] inline bool at_full_alpha(const AlphaRamp& ramp) {
  return !ramp.stages.empty() && ramp.stages_begun == ramp.stages.size() &&
         ramp.alpha == ramp.stages.back();
}

}  // namespace esper
