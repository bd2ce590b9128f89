// G3: a grafted seed on its way up. Each stage must leave the region's loss and the seed's own
// counterfactual where they were, or better.
#include "actors/decisions/number.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>
#include <cmath>

namespace esper::tactics {
namespace {

/// Alpha is set, not measured, but it passes through the executor's arithmetic.
constexpr double alpha_tolerance = 1e-6;

/// Two window means differ by chance, too: the ratio that counts as a rise is `ratio`, or two
/// deviations of the difference where that is more, but at most twice as far from 1.
double ratio_beyond_noise(const SeedPlan& plan, const RegionTelemetry& seen, double ratio) {
  const double before = plan.before.sigma * plan.before.sigma / std::max(plan.before.steps, 1U);
  const double present = seen.loss_sigma * seen.loss_sigma / std::max(seen.steps_covered, 1U);
  const double noise = 2 * std::sqrt(before + present) / plan.before.mean;
  const double margin = ratio - 1;
  return noise > margin ? 1 + std::min(noise, 2 * margin) : ratio;
}

/// This window's loss over the one before the ramp; infinite when it says nothing.
double loss_ratio(const SeedPlan& plan, const RegionTelemetry& seen) {
  const double ratio = seen.loss_mean / plan.before.mean;
  return plan.before.mean > 0 && finite(ratio) ? ratio : 1e300;
}

enum class StageVerdict { harmful, wait, held, passed };

struct StageJudgement {
  StageVerdict verdict{};
  double measured{}, threshold{};
  std::string_view reason;
};

StageJudgement judge(const SeedPlan& plan, const RegionTelemetry& telemetry,
                     const SeedTelemetry& seen, const GateConfig& gates) {
  if (!finite_passes(seen))
    return {StageVerdict::harmful, static_cast<double>(seen.non_finite), 0,
            "its own passes are not finite"};
  const GateMeasurement& gate = seen.gate;
  const bool measured = gate.measured && gate.samples > 0;
  const double lost = gate.loss_with - gate.loss_without;
  if (measured && (!gate.finite || !finite(lost)))
    return {StageVerdict::harmful, lost, gates.stage_loss_max, "its loss is not finite"};
  if (measured && lost > gates.stage_loss_max)
    return {StageVerdict::harmful, lost, gates.stage_loss_max,
            "the stage's counterfactual is worse"};
  const double ratio = loss_ratio(plan, telemetry);
  const double undone = ratio_beyond_noise(plan, telemetry, gates.ramp_rollback_ratio);
  if (ratio > undone)
    return {StageVerdict::harmful, ratio, undone, "the region's loss rose over the ramp"};
  if (!stage_complete(plan, seen) || !measured)
    return {StageVerdict::wait, ratio, gates.ramp_hold_ratio, "the stage is not complete"};
  const double held = ratio_beyond_noise(plan, telemetry, gates.ramp_hold_ratio);
  if (ratio > held)
    return {StageVerdict::held, ratio, held, "the region's loss is above the one before"};
  return {StageVerdict::passed, ratio, held, "every stage held"};
}

}  // namespace

bool finite_passes(const SeedTelemetry& seen) {
  return seen.non_finite == 0 && finite(seen.gradient_norm) && finite(seen.relative_norm);
}

bool stage_complete(const SeedPlan& plan, const SeedTelemetry& seen) {
  const auto& stages = plan.mitigations.alpha_stages;
  const std::size_t begun = std::min<std::size_t>(plan.stages_begun, stages.size());
  return seen.alpha >= (begun == 0 ? 0 : stages[begun - 1]) - alpha_tolerance;
}

void judge_ramp(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen) {
  const GateConfig& gates = decision.tactics.settings.gates;
  const RegionTelemetry& telemetry = decision.turn.telemetry;
  const std::size_t stages = plan.mitigations.alpha_stages.size();
  plan.stages_begun = static_cast<std::uint32_t>(std::min<std::size_t>(plan.stages_begun, stages));
  // In the turn that tells of the graft, telemetry is of before: it says nothing of the ramp.
  const std::uint64_t windows = age(plan, decision.turn.window);
  if (windows == 0) return;
  const bool forward = may_go_forward(decision.tactics);
  StageJudgement judged{StageVerdict::wait, 0, 0, {}};
  if (seen != nullptr) judged = judge(plan, telemetry, *seen, gates);
  if (judged.verdict == StageVerdict::harmful)
    return condemn(decision, plan, "G3", judged.measured, judged.threshold, judged.reason, true);
  if (judged.verdict == StageVerdict::passed) {
    plan.gain = seen->gate.loss_without - seen->gate.loss_with;
    // Full alpha was reached at one window's end; the next one is the first that it held through.
    if (plan.stages_begun == stages && ++plan.full_windows >= 2 && forward) {
      if (command(decision, plan, CommandKind::stabilise))
        say(decision, plan, "G3", true, judged.measured, judged.threshold, judged.reason);
      return;
    }
  } else {
    plan.full_windows = 0;
  }
  if (windows >= gates.ramp_windows_max)
    return condemn(decision, plan, "G3", static_cast<double>(windows),
                   static_cast<double>(gates.ramp_windows_max), "its ramp took too long");
  if (judged.verdict == StageVerdict::held) {
    say(decision, plan, "G3", false, judged.measured, judged.threshold, judged.reason);
    command(decision, plan, CommandKind::hold);
  }
  if (judged.verdict == StageVerdict::passed && plan.stages_begun < stages && forward)
    command(decision, plan, CommandKind::advance);
}

}  // namespace esper::tactics
