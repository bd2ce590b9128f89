// A scaffold's life on the graph: up to full alpha at once, success by the region's own bands and
// its task, and out again by the evidence: folded where it carries much, weaned where little.
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/number.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>
#include <string>

namespace esper::tactics {
namespace {

/// Task parity: the gate split's loss as the model stands, against what it may be.
struct Parity {
  bool measured{};
  double loss{}, limit{};
  [[nodiscard]] bool kept() const { return measured && loss <= limit; }
};

/// Against the last calm checkpoint; before there was one, against its own first measurement.
Parity parity_of(const Tactics& tactics, const ScaffoldLife& life, const SeedTelemetry* seen) {
  Parity parity;
  if (seen != nullptr) {
    const GateMeasurement& gate = seen->gate;
    parity.measured = gate.measured && gate.samples > 0 && gate.finite && finite(gate.loss_with);
    if (parity.measured) parity.loss = gate.loss_with;
  }
  if (tactics.calm_gate_loss)
    parity.limit = (1 + tactics.settings.scaffolds.parity_max) * *tactics.calm_gate_loss;
  else
    parity.limit = life.first_loss.value_or(parity.loss);
  return parity;
}

/// Takes this window's evidence: the first loss, the contribution, and the row of successes, which
/// a window missed or missing breaks.
void watch(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen, const Parity& parity) {
  const Tactics& tactics = decision.tactics;
  const Window now = decision.turn.window;
  ScaffoldLife& life = *plan.scaffold;
  if (parity.measured && on_graph(plan.stage) && seen->alpha > 0) {
    if (!life.first_loss) life.first_loss = parity.loss;
    const double contribution = seen->gate.loss_without - seen->gate.loss_with;
    if (plan.stage == Stage::stabilising && finite(contribution)) plan.gain = contribution;
  }
  // At alpha 0 a scaffold rescues nobody: an escape was not yet told.
  const bool at_work = seen != nullptr && (plan.stage == Stage::sunset || seen->alpha > 0);
  const bool success = at_work && parity.kept() && !tactics.health.in_crisis() &&
                       rescued_window(decision.turn.telemetry, tactics.settings.gates);
  if (!success) {
    life.successes = 0;
    return;
  }
  life.successes = life.last_success + 1 == now ? life.successes + 1 : 1;
  life.last_success = now;
}

bool succeeds_now(const ScaffoldLife& life, Window now) {
  return life.successes > 0 && life.last_success == now;
}

void wean(Decision& decision, SeedPlan& plan) {
  const ScaffoldConfig& config = decision.tactics.settings.scaffolds;
  if (AdaptationCommand* given = command(decision, plan, CommandKind::wean)) {
    given->mitigations = plan.mitigations;
    given->mitigations.knowledge_distillation_weight = config.kd_weight;
    given->mitigations.anchor_weight = config.anchor_weight;
    plan.scaffold->held = false;
  }
}

/// What fails is told once, with what was tried and what is left; Tamiyo's answer is awaited.
void tell_failure(Decision& decision, SeedPlan& plan, std::string_view gate, double measured,
                  double threshold) {
  ScaffoldLife& life = *plan.scaffold;
  if (life.leave_told) return;
  life.leave_told = true;
  say(decision, plan, gate, false, measured, threshold, life.leave);
  if (!life.blamed) return;
  remember_failure(decision.tactics.trouble, plan.blueprint);
  decision.tactics.trouble.awaits_counsel = true;
  escalate(decision, plan.blueprint + ": " + life.leave);
}

/// In isolation it only has to be finite and to have learnt a little: what it is for, gradient
/// through the region, shows on the graph alone.
void judge_isolated(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen) {
  const auto& settings = decision.tactics.settings;
  const double needed = settings.scaffolds.isolation_updates;
  const double updates = seen == nullptr ? 0 : static_cast<double>(seen->updates);
  if (seen != nullptr && (!finite_passes(*seen) || (seen->gate.measured && !seen->gate.finite)))
    dismiss(plan, "its own passes are not finite", true);
  if (age(plan, decision.turn.window) >= settings.gates.trial_windows_max)
    dismiss(plan, "its isolation took too long", true);
  if (!plan.scaffold->leave.empty()) {
    tell_failure(decision, plan, "G2", updates, needed);
    plan.doom = plan.scaffold->leave;
    return;
  }
  if (seen == nullptr || seen->updates < settings.scaffolds.isolation_updates ||
      decision.tactics.escape || decision.tactics.health.non_finite)
    return;
  if (AdaptationCommand* given = command(decision, plan, CommandKind::graft)) {
    given->mitigations = plan.mitigations;
    say(decision, plan, "G2", true, updates, needed, "it is finite and has learnt in isolation");
  }
}

/// True when it has to go without having succeeded.
bool fails(Decision& decision, SeedPlan& plan) {
  ScaffoldLife& life = *plan.scaffold;
  const Window now = decision.turn.window;
  const std::uint64_t windows = now.value - std::min(life.grafted.value, now.value);
  if (!life.succeeded && windows >= life.sunset_windows)
    dismiss(plan, "no success in its time on the graph", true);
  if (life.leave.empty()) return false;
  tell_failure(decision, plan, "S1", static_cast<double>(windows), life.sunset_windows);
  wean(decision, plan);
  return true;
}

void judge_rising(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen) {
  if (fails(decision, plan) || seen == nullptr || decision.tactics.escape ||
      !finite_passes(*seen) || !stage_complete(plan, *seen))
    return;
  if (plan.stages_begun < plan.mitigations.alpha_stages.size()) {
    command(decision, plan, CommandKind::advance);
    return;
  }
  if (command(decision, plan, CommandKind::stabilise))
    say(decision, plan, "G3", true, seen->alpha, plan.mitigations.alpha_stages.back(),
        "alpha reached its target");
}

void take_exit(Decision& decision, SeedPlan& plan, bool folds) {
  const double least = decision.tactics.settings.scaffolds.wean_contribution_max;
  say(decision, plan, "S2", true, plan.gain, least, folds ? "fold" : "wean");
  if (folds)
    command(decision, plan, CommandKind::freeze);
  else
    wean(decision, plan);
}

/// Chosen by what it contributes: what the host would miss is absorbed where the algebra allows.
bool should_fold(const SeedPlan& plan, const ScaffoldConfig& config) {
  const ScaffoldLife& life = *plan.scaffold;
  if (!life.foldable || life.exit == SunsetExit::wean || life.exit == SunsetExit::none)
    return false;
  return life.exit == SunsetExit::fold || plan.gain > config.wean_contribution_max;
}

void leave_after_success(Decision& decision, SeedPlan& plan) {
  ScaffoldLife& life = *plan.scaffold;
  const ScaffoldConfig& config = decision.tactics.settings.scaffolds;
  const Window now = decision.turn.window;
  if (!life.fold_refusal.empty()) {
    say(decision, plan, "S2", false, life.output_change, config.fold_change_max,
        "fold refused: " + life.fold_refusal);
    return take_exit(decision, plan, false);
  }
  if (life.frozen.value == 0) {  // what was commanded was lost
    if (should_fold(plan, config))
      command(decision, plan, CommandKind::freeze);
    else
      wean(decision, plan);
    return;
  }
  if (now <= life.frozen) return;
  if (succeeds_now(life, now)) {
    command(decision, plan, CommandKind::fold);
    return;
  }
  const std::uint64_t frozen = now.value - life.frozen.value;
  if (frozen < config.wean_windows_max) return;
  life.fold_refusal = "no success while its statistics stood still";
  leave_after_success(decision, plan);
}

void judge_working(Decision& decision, SeedPlan& plan, const Parity& parity) {
  ScaffoldLife& life = *plan.scaffold;
  const ScaffoldConfig& config = decision.tactics.settings.scaffolds;
  if (fails(decision, plan)) return;
  if (life.succeeded) return leave_after_success(decision, plan);
  if (!succeeds_now(life, decision.turn.window) || life.successes < config.stable_windows) return;
  life.succeeded = true;
  say(decision, plan, "S1", true, parity.loss, parity.limit,
      "in its bands and at parity, " + std::to_string(life.successes) + " windows in a row");
  take_exit(decision, plan, should_fold(plan, config));
}

/// One stage down at a time, and the next only at parity; but it goes in the end.
void judge_weaning(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen,
                   const Parity& parity) {
  ScaffoldLife& life = *plan.scaffold;
  const Window now = decision.turn.window;
  const std::uint32_t most = decision.tactics.settings.scaffolds.wean_windows_max;
  if (!life.leave.empty())
    tell_failure(decision, plan, "S1", static_cast<double>(now.value - life.grafted.value),
                 life.sunset_windows);
  if (seen != nullptr && seen->alpha == 0) {
    command(decision, plan, CommandKind::sunset);
    return;
  }
  const std::uint64_t windows = age(plan, now);
  if (windows >= most && life.leave.empty() && !life.overdue) {
    life.overdue = true;
    say(decision, plan, "S2", false, static_cast<double>(windows), most, "left unclean");
    escalate(decision, plan.blueprint + ": left unclean, its weaning took too long");
  }
  if (now <= life.moved) return;  // the descent has not run its window yet
  if (parity.kept() || life.overdue || !life.leave.empty()) return wean(decision, plan);
  if (!life.held && command(decision, plan, CommandKind::hold)) life.held = true;
}

void judge_dwell(Decision& decision, SeedPlan& plan, const Parity& parity) {
  const ScaffoldLife& life = *plan.scaffold;
  const std::uint32_t dwell = decision.tactics.settings.scaffolds.dwell_windows;
  const bool clean = life.successes >= dwell && succeeds_now(life, decision.turn.window);
  const bool overdue = age(plan, decision.turn.window) >= std::uint64_t{dwell} * 2;
  if ((!clean && !overdue) || !command(decision, plan, CommandKind::retire)) return;
  say(decision, plan, "S3", clean, parity.loss, parity.limit,
      clean ? "clean without it" : "left unclean: its dwell was not clean");
  if (!clean && life.leave.empty())
    escalate(decision, plan.blueprint + ": left unclean, its dwell was not clean");
}

}  // namespace

void judge_scaffold(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen) {
  // In the turn that tells of a stage, telemetry is of before: it says nothing of it.
  if (age(plan, decision.turn.window) == 0) return;
  const Parity parity = parity_of(decision.tactics, *plan.scaffold, seen);
  watch(decision, plan, seen, parity);
  if (plan.under_way) return;
  if (plan.stage == Stage::train_isolated) judge_isolated(decision, plan, seen);
  if (plan.stage == Stage::grafting) judge_rising(decision, plan, seen);
  if (plan.stage == Stage::stabilising) judge_working(decision, plan, parity);
  if (plan.stage == Stage::weaning) judge_weaning(decision, plan, seen, parity);
  if (plan.stage == Stage::sunset) judge_dwell(decision, plan, parity);
}

}  // namespace esper::tactics
