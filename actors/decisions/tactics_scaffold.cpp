// A region in crisis asks the emergency pool for a scaffold, plants what is granted, pays for it
// window by window, and says so when it knows no further.
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>
#include <utility>

namespace esper::tactics {
namespace {

bool tried(const Trouble& trouble, const std::string& blueprint) {
  return std::find(trouble.tried.begin(), trouble.tried.end(), blueprint) != trouble.tried.end();
}

/// Where it may be folded away again, then where it carries most: the largest group of slots. Among
/// equals the catalogue's order decides.
std::optional<std::size_t> choose(const Tactics& tactics, Window now) {
  const Trouble& trouble = tactics.trouble;
  const auto worth = [&](const Candidate& candidate) {
    return std::pair{candidate.foldable, tactics.plots[candidate.plot].members.size()};
  };
  std::optional<std::size_t> best;
  for (std::size_t index = 0; index < tactics.scaffold_candidates.size(); ++index) {
    const Candidate& candidate = tactics.scaffold_candidates[index];
    const bool wanted = trouble.counselled.empty() ? !tried(trouble, candidate.blueprint)
                                                   : candidate.blueprint == trouble.counselled;
    if (!wanted || candidate.quarantined || now < candidate.not_before ||
        !free_plot(tactics, candidate.plot))
      continue;
    if (!best || worth(candidate) > worth(tactics.scaffold_candidates[*best])) best = index;
  }
  return best;
}

/// Designs that could still be tried, wherever there is room for them.
std::vector<std::string> untried(const Tactics& tactics) {
  std::vector<std::string> left;
  for (const Candidate& candidate : tactics.scaffold_candidates)
    if (!candidate.quarantined && !tried(tactics.trouble, candidate.blueprint) &&
        std::find(left.begin(), left.end(), candidate.blueprint) == left.end())
      left.push_back(candidate.blueprint);
  return left;
}

bool whole(const Decision& decision) {
  const RegionTelemetry& seen = decision.turn.telemetry;
  return seen.region == decision.tactics.region && seen.window == decision.turn.window &&
         seen.steps_covered > 0;
}

void ask(Decision& decision, std::size_t index) {
  auto& tactics = decision.tactics;
  const Candidate& candidate = tactics.scaffold_candidates[index];
  const Price price = price_now(tactics, candidate, candidate.relative_norm, true);
  decision.part.prices.push_back(price);
  const auto left =
      bands_left(decision.turn.telemetry, tactics.health.volatility, tactics.settings.gates);
  ScaffoldRequest request;
  request.region = tactics.region;
  request.window = decision.turn.window;
  request.blueprint = candidate.blueprint;
  request.slot = tactics.plots[candidate.plot].slot;
  request.ask = price.energy;
  request.reason = "out of band:";
  for (const std::string_view band : left) request.reason += ' ' + std::string{band};
  request.bands_left = static_cast<std::uint32_t>(left.size());
  request.volatility = tactics.health.volatility;
  tactics.trouble.asked = AskedScaffold{index, decision.turn.window, false, {}};
  decision.part.scaffold_requests.push_back(std::move(request));
}

/// The part of `rest` that one of `windows` takes, so that nothing is left after the last.
Energy portion(Energy rest, std::uint64_t windows) {
  const auto count = static_cast<std::int64_t>(std::clamp<std::uint64_t>(windows, 1, 1'000'000));
  return {rest.thousandths / count + (rest.thousandths % count != 0 ? 1 : 0)};
}

void take_verdict(Tactics& tactics, const ScaffoldVerdict& verdict) {
  auto& asked = tactics.trouble.asked;
  const bool granted = verdict.answer == ScaffoldAnswer::granted;
  // What was not asked for, or no longer, is given back in the same turn.
  if (granted) tactics.book.take_emergency(verdict.amount);
  if (!asked || asked->granted) return;
  const Candidate& candidate = tactics.scaffold_candidates[asked->candidate];
  if (candidate.blueprint != verdict.blueprint ||
      tactics.plots[candidate.plot].slot != verdict.slot)
    return;
  if (granted) {
    asked->granted = true;
    asked->until = verdict.until;
    return;
  }
  asked.reset();
  tactics.trouble.ask_not_before = verdict.until;
}

void take_counsel(Tactics& tactics, const Counsel& counsel) {
  Trouble& trouble = tactics.trouble;
  if (counsel.tactic == Tactic::rest) {
    trouble.awaits_counsel = false;
    trouble.rest_until = counsel.until;
    trouble.asked.reset();
    return;
  }
  // What has just failed is no other tactic, and an unknown design none at all.
  const bool known =
      std::any_of(tactics.scaffold_candidates.begin(), tactics.scaffold_candidates.end(),
                  [&](const Candidate& one) { return one.blueprint == counsel.blueprint; });
  if (!known || (!trouble.tried.empty() && trouble.tried.back() == counsel.blueprint)) return;
  trouble.awaits_counsel = false;
  trouble.counselled = counsel.blueprint;
}

}  // namespace

SeedPlan* scaffold_in(Tactics& tactics) {
  for (SeedPlan& plan : tactics.plans)
    if (plan.scaffold) return &plan;
  return nullptr;
}

bool scaffold_stands(const Tactics& tactics) {
  return std::any_of(tactics.plans.begin(), tactics.plans.end(),
                     [](const SeedPlan& plan) { return plan.scaffold.has_value(); });
}

void dismiss(SeedPlan& plan, const std::string& why, bool blamed) {
  if (!plan.scaffold || !plan.scaffold->leave.empty()) return;
  plan.scaffold->leave = why;
  plan.scaffold->blamed = blamed;
}

void remember_failure(Trouble& trouble, const std::string& blueprint) {
  if (!trouble.tried.empty() && trouble.tried.back() == blueprint) return;
  trouble.tried.push_back(blueprint);
}

void take_scaffold_answers(Tactics& tactics, const Answers& answers) {
  if (answers.emergency_reclaimed) {
    tactics.book.reclaim_emergency();
    if (tactics.trouble.asked && tactics.trouble.asked->granted) tactics.trouble.asked.reset();
    // One that has done its work is on its way out as it is.
    for (SeedPlan& plan : tactics.plans)
      if (plan.scaffold && !plan.scaffold->succeeded)
        dismiss(plan, "its emergency energy was taken back", false);
  }
  for (const ScaffoldVerdict& verdict : answers.scaffolds)
    if (verdict.region == tactics.region) take_verdict(tactics, verdict);
  if (answers.counsel && answers.counsel->region == tactics.region)
    take_counsel(tactics, *answers.counsel);
}

void review_trouble(Tactics& tactics, Window now) {
  Trouble& trouble = tactics.trouble;
  const bool in_crisis = tactics.health.in_crisis();
  // An answer takes one turn; one that never came is asked for again.
  if (trouble.asked) {
    const bool over = trouble.asked->granted ? !in_crisis || now > trouble.asked->until
                                             : now.value > trouble.asked->window.value + 2;
    if (over) trouble.asked.reset();
  }
  const bool calm = !in_crisis && tactics.health.stable_windows > 0 &&
                    tactics.health.stable_windows >= tactics.settings.scaffolds.stable_windows;
  if (!calm || trouble.asked || scaffold_stands(tactics)) return;
  trouble.awaits_counsel = false;
  trouble.counselled.clear();
  trouble.tried.clear();
}

void escalate(Decision& decision, std::string reason) {
  auto& tactics = decision.tactics;
  tactics.escalated = decision.turn.window;
  decision.part.escalations.push_back({tactics.region, decision.turn.window, std::move(reason),
                                       tactics.trouble.tried, untried(tactics)});
}

void seek_help(Decision& decision) {
  auto& tactics = decision.tactics;
  const Window now = decision.turn.window;
  const Trouble& trouble = tactics.trouble;
  if (scaffold_stands(tactics) || trouble.asked || now < trouble.rest_until) return;
  const bool may_ask = tactics.settings.scaffolds.enabled && !trouble.awaits_counsel &&
                       now >= trouble.ask_not_before && whole(decision);
  if (may_ask)
    if (const auto index = choose(tactics, now)) return ask(decision, *index);
  const std::uint64_t again = std::max<std::uint64_t>(tactics.settings.time.cycle_windows, 1);
  if (tactics.escalated.value == 0 || now.value >= tactics.escalated.value + again)
    escalate(decision, "region in crisis with no seed of ours in its path");
}

void plant_scaffold(Decision& decision) {
  auto& tactics = decision.tactics;
  auto& asked = tactics.trouble.asked;
  if (!asked || !asked->granted || scaffold_stands(tactics)) return;
  const Candidate& candidate = tactics.scaffold_candidates[asked->candidate];
  if (!free_plot(tactics, candidate.plot)) return;
  SeedPlan plan;
  plan.seed = seed_of(tactics.region, tactics.next_seed);
  plan.plot = candidate.plot;
  plan.candidate = asked->candidate;
  plan.blueprint = candidate.blueprint;
  plan.since = decision.turn.window;
  plan.parameters = candidate.parameters;
  plan.mitigations = {tactics.settings.gates.alpha_stages, 0, tactics.settings.gates.clip_norm, 0};
  plan.scaffold.emplace();
  plan.scaffold->exit = candidate.exit;
  plan.scaffold->foldable = candidate.foldable;
  plan.scaffold->sunset_windows = candidate.sunset_windows;
  AdaptationCommand* given = command(decision, plan, CommandKind::germinate);
  if (given == nullptr) throw InvariantViolation("a fresh scaffold could not be germinated");
  ++tactics.next_seed;
  const Energy held = tactics.book.emergency();
  given->blueprint = plan.blueprint;
  given->mitigations = plan.mitigations;
  given->price = portion(held, candidate.sunset_windows);
  say(decision, plan, "G0", true, static_cast<double>(held.thousandths),
      static_cast<double>(given->price.thousandths), "paid from the emergency pool");
  asked.reset();
  tactics.trouble.counselled.clear();
  tactics.plans.push_back(std::move(plan));
}

void settle_emergency(Decision& decision) {
  auto& tactics = decision.tactics;
  if (tactics.book.emergency() == Energy{}) return;
  const Window now = decision.turn.window;
  SeedPlan* plan = scaffold_in(tactics);
  if (plan == nullptr) {
    const auto& asked = tactics.trouble.asked;
    if (!asked || !asked->granted) tactics.book.give_back(next_command(tactics));
    return;
  }
  if (plan->stage != Stage::train_isolated && !on_graph(plan->stage)) return;
  ScaffoldLife& life = *plan->scaffold;
  if (life.first_draw.value == 0) life.first_draw = now;
  const std::uint64_t passed = now.value - std::min(life.first_draw.value, now.value);
  const std::uint64_t left = life.sunset_windows > passed ? life.sunset_windows - passed : 1;
  tactics.book.draw(portion(tactics.book.emergency(), left), next_command(tactics));
}

}  // namespace esper::tactics
