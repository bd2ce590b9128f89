// What a region was told: answers of the strategist, outcomes of its commands, its health.
#include "actors/decisions/alpha_ramp.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/number.hpp"
#include "actors/decisions/planted.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>
#include <utility>

namespace esper::tactics {
namespace {

SeedPlan* find(Tactics& tactics, SeedId seed) {
  for (SeedPlan& plan : tactics.plans)
    if (plan.seed == seed) return &plan;
  return nullptr;
}

void doom(SeedPlan& plan, const std::string& why) {
  if (plan.doom.empty()) plan.doom = why;
}

void erase(Tactics& tactics, SeedId seed) {
  std::erase_if(tactics.plans, [&](const SeedPlan& plan) { return plan.seed == seed; });
}

/// A funded proposal's end, and what the design taught.
void realise(Tactics& tactics, const SeedPlan& plan, double gain) {
  learn(tactics, plan.blueprint, gain);
  if (plan.proposal != 0)
    tactics.returns.push_back({tactics.region, plan.proposal, plan.predicted_gain, gain});
}

void win(Tactics& tactics, const SeedPlan& plan) {
  ++tactics.wins;
  realise(tactics, plan, plan.gain);
  tactics.plots[plan.plot].stage = Stage::fossilised;
  tactics.book.release(plan.seed);
  erase(tactics, plan.seed);
}

/// A germination that never was: all energy returns, the plot stays dormant.
void unplant(Tactics& tactics, const SeedPlan& plan) {
  tactics.book.release(plan.seed);
  erase(tactics, plan.seed);
}

/// A scaffold that left in order: its plot is free at once.
void retire(Tactics& tactics, const SeedPlan& plan) {
  const bool succeeded = plan.scaffold->succeeded;
  ++(succeeded ? tactics.wins : tactics.losses);
  realise(tactics, plan, succeeded ? plan.gain : std::min(plan.gain, 0.0));
  tactics.book.release(plan.seed);
  erase(tactics, plan.seed);
}

/// Moves a plan on to the stage that the executor tells, paying for what was passed.
void reach(Tactics& tactics, SeedPlan& plan, Stage stage, Window now, CommandId command) {
  const bool forward = stage > plan.stage;
  if (forward && plan.stage == Stage::dormant)
    tactics.book.settle(plan.seed, ReservationPart::germinate, tactics.book.open(plan.seed),
                        command);
  if (forward && stage >= Stage::grafting && plan.stage < Stage::grafting) {
    const Reservation* rise = tactics.book.find(plan.seed, ReservationPart::rise);
    const Energy risen = rise != nullptr ? rise->energy : Energy{};
    tactics.book.settle(plan.seed, ReservationPart::graft, plan.graft_due, command);
    tactics.book.settle(plan.seed, ReservationPart::rise, risen, command);
  }
  if (stage == Stage::fossilised) {
    tactics.book.settle(plan.seed, ReservationPart::stabilise, plan.stabilise_due, command);
    return win(tactics, plan);
  }
  if (stage == Stage::dormant && plan.scaffold && plan.stage == Stage::sunset)
    return retire(tactics, SeedPlan{plan});
  if (stage == Stage::dormant || stage == Stage::embargoed) return forget(tactics, plan.seed, now);
  if (stage != plan.stage) {
    plan.since = now;
    if (plan.scaffold) plan.scaffold->successes = 0;
  }
  plan.stage = stage;
  if (plan.scaffold) {
    if (on_graph(stage) && plan.scaffold->grafted.value == 0) plan.scaffold->grafted = now;
  } else if (stage == Stage::weaning || stage == Stage::sunset) {
    doom(plan, "it leaves like a scaffold and is none");
  }
}

/// A seed of our region that we know nothing of is unpaid: it is taken in only to leave.
void adopt(Tactics& tactics, SeedId seed, SlotId slot, Stage stage, const std::string& blueprint,
           Window now) {
  const auto plot = std::find_if(tactics.plots.begin(), tactics.plots.end(), [&](const Plot& one) {
    return std::find(one.members.begin(), one.members.end(), slot) != one.members.end();
  });
  if (plot == tactics.plots.end() || seed.value == 0) return;
  // Its number is taken, whoever gave it.
  const SeedId none = seed_of(tactics.region, 0);
  if (seed > none && seed < seed_of({tactics.region.value + 1}, 0))
    tactics.next_seed = std::max(tactics.next_seed, seed.value - none.value + 1);
  if (stage == Stage::fossilised || stage == Stage::embargoed) {
    if (plot->stage != Stage::dormant) return;
    plot->stage = stage;
    plot->last = seed;
    plot->embargo_until = now + tactics.settings.gates.embargo_windows;
    return;
  }
  if (stage == Stage::dormant || find(tactics, seed) != nullptr) return;
  SeedPlan plan;
  plan.seed = seed;
  plan.plot = static_cast<std::size_t>(plot - tactics.plots.begin());
  plan.candidate = tactics.candidates.size();
  plan.blueprint = blueprint;
  plan.stage = stage;
  plan.since = now;
  plan.touched_host = on_graph(stage);
  plan.doom = "not in this region's book";
  const auto design =
      std::find_if(tactics.scaffold_candidates.begin(), tactics.scaffold_candidates.end(),
                   [&](const Candidate& one) { return one.blueprint == blueprint; });
  if (design != tactics.scaffold_candidates.end() || stage == Stage::weaning ||
      stage == Stage::sunset) {
    // The host may lean on it, so it goes down by its own stairs.
    plan.scaffold.emplace();
    dismiss(plan, std::exchange(plan.doom, {}), false);
  }
  tactics.plans.push_back(std::move(plan));
}

void take_answers(Tactics& tactics, const Answers& answers, Window now) {
  if (answers.region != tactics.region) return;
  tactics.book.end_lease(now);
  if (answers.allocation) tactics.book.renew(*answers.allocation);
  for (const Verdict& verdict : answers.verdicts) {
    const auto filed =
        std::find_if(tactics.proposals.begin(), tactics.proposals.end(),
                     [&](const FiledProposal& one) { return one.proposal.id == verdict.proposal; });
    if (verdict.region != tactics.region || filed == tactics.proposals.end() || filed->approved)
      continue;
    if (verdict.kind == VerdictKind::approved) {
      tactics.book.add(verdict.amount);
      filed->approved = true;
      filed->until = verdict.until;
      filed->conditions = usable_alpha_stages(verdict.conditions.alpha_stages)
                              ? verdict.conditions
                              : filed->proposal.mitigations;
      continue;
    }
    if (verdict.kind == VerdictKind::deferred) tactics.deferred_until = verdict.until;
    tactics.proposals.erase(filed);
  }
  for (const TopUp& top_up : answers.top_ups) {
    tactics.book.take_top_up(top_up);
    for (SeedPlan& plan : tactics.plans) {
      const Reservation* graft = tactics.book.find(plan.seed, ReservationPart::graft);
      if (graft == nullptr || graft->id != top_up.reservation) continue;
      // Refused: it is asked for again, but not at once.
      if (top_up.energy > Energy{}) plan.top_up_asked = {};
    }
  }
  take_scaffold_answers(tactics, answers);
  // All of them first: what expired together is not to be voided one for the other.
  std::vector<SeedId> unpaid;
  for (const std::uint64_t reservation : answers.expired)
    if (const auto seed = tactics.book.expire(reservation)) unpaid.push_back(*seed);
  for (const SeedId seed : unpaid) {
    SeedPlan* plan = find(tactics, seed);
    if (plan == nullptr) continue;
    if (plan->stage == Stage::dormant)
      unplant(tactics, SeedPlan{*plan});
    else
      doom(*plan, "its reservation expired");
  }
}

/// Alpha is 0 again. After an escape a growth seed leaves, and its open reservations are void with
/// it; where only the executor was silent a ramp may begin anew, a stabilising seed cannot.
void lose_alpha(SeedPlan& plan, bool may_ramp_again, const std::string& why) {
  if (!on_graph(plan.stage)) return;
  plan.stages_begun = 0;
  plan.full_windows = 0;
  if (may_ramp_again && plan.stage == Stage::grafting) return;
  if (!plan.scaffold) return doom(plan, why);
  // Down is where a weaning one was going anyway; on its way up one may begin once more.
  if (plan.stage == Stage::weaning) return;
  if (plan.stage == Stage::grafting && !std::exchange(plan.scaffold->ramped_again, true)) return;
  dismiss(plan, why, true);
}

void take_reflex(Tactics& tactics, const Outcome& outcome) {
  const bool silence = outcome.cause == "executor_silent" || planted(Planted::ramp_resumed);
  for (SeedPlan& plan : tactics.plans)
    if (outcome.seed.value == 0 || outcome.seed == plan.seed)
      lose_alpha(plan, silence, "reflex: " + outcome.cause);
}

bool take_lift(Tactics& tactics, const Outcome& outcome) {
  for (Plot& plot : tactics.plots) {
    if (!plot.lift || plot.lift->id != outcome.command) continue;
    plot.lift.reset();
    // Refused for its stage or its seed: there is nothing left to lift.
    if (outcome.refusal == CommandRefusal::none ||
        outcome.refusal == CommandRefusal::illegal_stage ||
        outcome.refusal == CommandRefusal::unknown_seed ||
        outcome.refusal == CommandRefusal::already_done)
      plot.stage = Stage::dormant;
    return true;
  }
  return false;
}

/// A germination refused for its size says so of the candidate; for the moment, of the region.
void put_off(Tactics& tactics, const SeedPlan& plan, CommandRefusal refusal, Window now) {
  const Window later = now + tactics.settings.gates.embargo_windows;
  switch (refusal) {
    case CommandRefusal::old_epoch:
    case CommandRefusal::lease_expired:
      return;
    case CommandRefusal::limit_parameters:
    case CommandRefusal::limit_operations:
    case CommandRefusal::limit_memory:
    case CommandRefusal::unknown_blueprint:
    case CommandRefusal::unknown_slot:
    case CommandRefusal::fault:
      if (Candidate* candidate = candidate_of(tactics, plan)) candidate->not_before = later;
      return;
    default:
      (plan.scaffold ? tactics.trouble.ask_not_before : tactics.germinate_not_before) = later;
  }
}

void take_refusal(Tactics& tactics, SeedPlan& plan, const Outcome& outcome, Window now) {
  const bool retry = outcome.refusal == CommandRefusal::old_epoch ||
                     outcome.refusal == CommandRefusal::lease_expired;
  if (plan.stage == Stage::dormant) {
    put_off(tactics, plan, outcome.refusal, now);
    return unplant(tactics, SeedPlan{plan});
  }
  if (outcome.refusal == CommandRefusal::unknown_seed) return forget(tactics, plan.seed, now);
  if (retry) return;
  if (plan.scaffold && (outcome.kind == CommandKind::freeze || outcome.kind == CommandKind::fold)) {
    plan.scaffold->fold_refusal = name_of(outcome.refusal);
    plan.scaffold->output_change = outcome.output_change;
    return;
  }
  // Its alpha was not 0 yet: it is weaned further.
  if (plan.scaffold && outcome.kind == CommandKind::sunset &&
      outcome.refusal == CommandRefusal::illegal_stage)
    return;
  const bool leaving = outcome.kind == CommandKind::cull || outcome.kind == CommandKind::roll_back;
  // It cannot be undone: leave it by the plainer way; what cannot even be culled is not there.
  if (outcome.kind == CommandKind::roll_back)
    plan.roll_back = false;
  else if (leaving && outcome.refusal == CommandRefusal::illegal_stage)
    return forget(tactics, plan.seed, now);
  doom(plan, "the executor refused: " + std::string{name_of(outcome.refusal)});
}

void carry_out(Tactics& tactics, SeedPlan& plan, const Outcome& outcome, const RegionTurn& turn) {
  const auto stage = after(plan.stage, outcome.kind);
  if (!stage) return;  // told twice, or overtaken by a read-back
  if (!outcome.enforced.alpha_stages.empty()) plan.mitigations = outcome.enforced;
  if (outcome.parameters > 0) plan.parameters = outcome.parameters;
  if (outcome.kind == CommandKind::graft) {
    plan.touched_host = true;
    plan.stages_begun = 1;
    plan.full_windows = 0;
    plan.before = tactics.loss;
  }
  if (outcome.kind == CommandKind::advance &&
      plan.stages_begun < plan.mitigations.alpha_stages.size())
    ++plan.stages_begun;
  if (plan.scaffold && outcome.kind == CommandKind::freeze) plan.scaffold->frozen = turn.window;
  if (plan.scaffold && outcome.kind == CommandKind::wean) plan.scaffold->moved = turn.window;
  // Whatever an outcome does not pay for now is waited for as long as before it.
  if (on_graph(stage.value()) && outcome.kind != CommandKind::graft)
    tactics.book.prolong(plan.seed, outcome.command);
  if (stage.value() != plan.stage)
    reach(tactics, plan, stage.value(), turn.window, outcome.command);
}

void take_outcome(Tactics& tactics, const Outcome& outcome, const RegionTurn& turn) {
  if (outcome.region != tactics.region) return;
  if (outcome.reflex) return take_reflex(tactics, outcome);
  if (tactics.escape && tactics.escape->id == outcome.command) {
    tactics.escape.reset();
    if (outcome.refusal != CommandRefusal::none) return;
    for (SeedPlan& plan : tactics.plans) lose_alpha(plan, false, "its alpha was lost to an escape");
    return;
  }
  if (outcome.kind == CommandKind::escape || take_lift(tactics, outcome)) return;
  SeedPlan* plan = find(tactics, outcome.seed);
  if (plan == nullptr) {
    if (outcome.refusal == CommandRefusal::none && outcome.kind == CommandKind::germinate)
      adopt(tactics, outcome.seed, outcome.slot, outcome.stage, {}, turn.window);
    return;
  }
  const bool awaited = plan->under_way && plan->under_way->id == outcome.command;
  if (awaited) plan->under_way.reset();
  if (outcome.refusal == CommandRefusal::none)
    carry_out(tactics, *plan, outcome, turn);
  else if (awaited)
    take_refusal(tactics, *plan, outcome, turn.window);
}

/// A command for the seed was carried out at this turn's boundary. Seeds may have been read before
/// that boundary or after it, so its outcome is at least as new.
bool told_of(const RegionTurn& turn, SeedId seed) {
  return std::any_of(turn.outcomes.begin(), turn.outcomes.end(), [&](const Outcome& outcome) {
    return outcome.seed == seed && !outcome.reflex && outcome.refusal == CommandRefusal::none;
  });
}

}  // namespace

void forget(Tactics& tactics, SeedId seed, Window now) {
  SeedPlan* found = find(tactics, seed);
  if (found == nullptr) return;
  const SeedPlan plan = *found;
  tactics.book.release(seed);
  ++tactics.losses;
  if (plan.touched_host) ++tactics.regressions;
  // What was never proven brought nothing, however well it looked.
  realise(tactics, plan, std::min(plan.gain, 0.0));
  if (plan.scaffold) remember_failure(tactics.trouble, plan.blueprint);
  Plot& plot = tactics.plots[plan.plot];
  plot.stage = Stage::embargoed;
  plot.last = seed;
  plot.embargo_until = now + tactics.settings.gates.embargo_windows;
  plot.lift.reset();
  erase(tactics, seed);
}

void follow(Tactics& tactics, const RegionTurn& turn) {
  tactics.overrides.follow(turn.overrides, turn.window);
  for (const Override& given : turn.overrides)
    tactics.escape_asked = tactics.escape_asked || given.kind == OverrideKind::escape;
  for (const SurgeryOutcome& surgery : turn.surgeries)
    if (surgery.refusal == SurgeryRefusal::none) recount(tactics, surgery);
  take_answers(tactics, turn.answers, turn.window);
  const RegionTelemetry& seen = turn.telemetry;
  if (seen.region == tactics.region && seen.window == turn.window && seen.steps_covered > 0 &&
      finite(seen.loss_mean) && finite(seen.loss_sigma))
    tactics.loss = {seen.loss_mean, seen.loss_sigma, seen.steps_covered};
  for (const Outcome& outcome : turn.outcomes) take_outcome(tactics, outcome, turn);
  observe(tactics.health, tactics.region, turn.window, turn.telemetry, tactics.settings.gates);
  // Parity is measured against the host alone, as it was when nothing ailed it.
  const auto& checkpoint = turn.checkpoint;
  if (checkpoint && checkpoint->window == turn.window && finite(checkpoint->gate_loss) &&
      tactics.health.stable_windows > 0 && !scaffold_stands(tactics))
    tactics.calm_gate_loss = checkpoint->gate_loss;
}

void reconcile(Tactics& tactics, const std::vector<SeedStatus>& seeds, const RegionTurn& turn) {
  const Window now = turn.window;
  tactics.escape.reset();
  for (Plot& plot : tactics.plots) plot.lift.reset();
  std::vector<SeedId> known;
  for (SeedPlan& plan : tactics.plans) {
    plan.under_way.reset();
    known.push_back(plan.seed);
  }
  for (const SeedId seed : known) {
    if (told_of(turn, seed)) continue;
    SeedPlan& plan = *find(tactics, seed);
    const auto truth = std::find_if(seeds.begin(), seeds.end(), [&](const SeedStatus& status) {
      return status.seed == seed && status.region == tactics.region;
    });
    if (truth == seeds.end() || truth->stage == Stage::dormant) {
      if (plan.stage == Stage::dormant)
        unplant(tactics, SeedPlan{plan});
      else
        reach(tactics, plan, Stage::dormant, now, {});
      continue;
    }
    if (!truth->mitigations.alpha_stages.empty()) plan.mitigations = truth->mitigations;
    if (on_graph(truth->stage)) {
      plan.touched_host = true;
      if (truth->alpha == 0 && truth->stage == Stage::stabilising) {
        if (plan.scaffold)
          dismiss(plan, "its alpha was lost", true);
        else
          doom(plan, "its alpha was lost");
      }
      if (truth->alpha == 0) plan.stages_begun = 0;
    }
    reach(tactics, plan, truth->stage, now, {});
  }
  for (const SeedStatus& status : seeds)
    if (status.region == tactics.region && find(tactics, status.seed) == nullptr &&
        !told_of(turn, status.seed)) {
      adopt(tactics, status.seed, status.slot, status.stage, status.blueprint, now);
      if (SeedPlan* plan = find(tactics, status.seed)) plan->mitigations = status.mitigations;
    }
}

}  // namespace esper::tactics
