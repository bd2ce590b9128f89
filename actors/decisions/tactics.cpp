#include "actors/decisions/tactics.hpp"

#include "actors/decisions/cycles.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/planted.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>
#include <utility>

namespace esper {

namespace tactics {

CommandId next_command(Tactics& tactics) {
  return {tactics.region, tactics.epoch, ++tactics.sequence};
}

AdaptationCommand* command(Decision& decision, SeedPlan& plan, CommandKind kind,
                           std::optional<ReservationPart> charged) {
  auto& tactics = decision.tactics;
  if (plan.under_way || !after(plan.stage, kind)) return nullptr;
  AdaptationCommand given;
  given.id = next_command(tactics);
  given.kind = kind;
  given.slot = tactics.plots[plan.plot].slot;
  given.seed = plan.seed;
  given.authority_until = tactics.book.until();
  if (charged) {
    if (const Reservation* payment = tactics.book.find(plan.seed, *charged)) {
      given.reservation = payment->id;
      given.price = payment->energy;
    }
  }
  plan.under_way = UnderWay{given.id, kind, decision.turn.window};
  decision.part.commands.push_back(std::move(given));
  return &decision.part.commands.back();
}

void say(Decision& decision, const SeedPlan& plan, std::string_view gate, bool passed,
         double measured, double threshold, std::string_view reason) {
  decision.part.gates.push_back({plan.seed, decision.tactics.plots[plan.plot].slot,
                                 std::string{gate}, passed, measured, threshold,
                                 std::string{reason}, plan.blueprint});
}

void condemn(Decision& decision, SeedPlan& plan, std::string_view gate, double measured,
             double threshold, std::string_view reason, bool roll_back) {
  if (!plan.doom.empty()) return;
  say(decision, plan, gate, false, measured, threshold, reason);
  plan.doom = reason;
  plan.roll_back = roll_back;
}

bool may_go_forward(const Tactics& tactics) {
  return !tactics.health.in_crisis() && !tactics.health.non_finite && !tactics.escape;
}

bool frozen(const Tactics& tactics) {
  return tactics.overrides.held(OverrideKind::freeze, tactics.region) != nullptr;
}

std::uint64_t age(const SeedPlan& plan, Window now) {
  return now > plan.since ? now.value - plan.since.value : 0;
}

namespace {

/// This window's telemetry of the seed, if it is whole: right region, window, slot and stage.
const SeedTelemetry* seen_of(const Decision& decision, const SeedPlan& plan) {
  const RegionTelemetry& telemetry = decision.turn.telemetry;
  if (telemetry.region != decision.tactics.region || telemetry.window != decision.turn.window)
    return nullptr;
  for (const SeedTelemetry& seen : telemetry.seeds)
    if (seen.seed == plan.seed && seen.slot == decision.tactics.plots[plan.plot].slot &&
        seen.stage == plan.stage)
      return &seen;
  return nullptr;
}

void escape_now(Decision& decision) {
  auto& tactics = decision.tactics;
  if (tactics.escape) return;
  AdaptationCommand given;
  given.id = next_command(tactics);
  given.kind = CommandKind::escape;
  given.authority_until = tactics.book.until();
  tactics.escape = UnderWay{given.id, given.kind, decision.turn.window};
  decision.part.commands.push_back(std::move(given));
}

/// Everything to alpha 0 at once, then the newest growth seed leaves; with no seed to blame, the
/// region needs help from outside. A scaffold is not to blame: it came because of the crisis.
void meet_crisis(Decision& decision) {
  auto& tactics = decision.tactics;
  const bool in_crisis = tactics.health.in_crisis();
  if (!in_crisis) tactics.escalated = {};
  if (!in_crisis && !tactics.health.non_finite) return;
  const auto newest =
      std::find_if(tactics.plans.rbegin(), tactics.plans.rend(),
                   [](const SeedPlan& plan) { return on_graph(plan.stage) && !plan.scaffold; });
  if (newest == tactics.plans.rend()) {
    if (in_crisis) seek_help(decision);
    return;
  }
  escape_now(decision);
  const bool ramping = newest->stage == Stage::grafting;
  condemn(
      decision, *newest, ramping ? "G3" : "G5", decision.turn.telemetry.jitter,
      tactics.settings.gates.jitter_max,
      in_crisis ? "region in crisis: newest seed leaves" : "non-finite step: newest seed leaves");
}

void lift_embargoes(Decision& decision) {
  auto& tactics = decision.tactics;
  const Window now = decision.turn.window;
  for (Plot& plot : tactics.plots) {
    if (plot.stage != Stage::embargoed || plot.lift || now < plot.embargo_until) continue;
    AdaptationCommand given;
    given.id = next_command(tactics);
    given.kind = CommandKind::lift_embargo;
    given.slot = plot.slot;
    given.seed = plot.last;
    given.authority_until = tactics.book.until();
    plot.lift = UnderWay{given.id, given.kind, now};
    decision.part.commands.push_back(std::move(given));
  }
}

void judge_seeds(Decision& decision) {
  for (SeedPlan& plan : decision.tactics.plans) {
    const SeedTelemetry* seen = seen_of(decision, plan);
    // A window counts for its success even while a command is under way.
    if (plan.scaffold && plan.doom.empty()) judge_scaffold(decision, plan, seen);
    if (plan.under_way) continue;
    if (!plan.scaffold && plan.doom.empty()) {
      if (plan.stage == Stage::train_isolated) judge_trial(decision, plan, seen);
      if (plan.stage == Stage::grafting) judge_ramp(decision, plan, seen);
      if (plan.stage == Stage::stabilising) judge_stability(decision, plan, seen);
    }
    if (!plan.doom.empty())
      command(decision, plan,
              plan.roll_back && on_graph(plan.stage) ? CommandKind::roll_back : CommandKind::cull);
  }
}

/// An outcome that never comes must not tie a seed for ever: past a reservation's life the
/// executor is asked again, and its refusal tells the truth. A scaffold has no reservation that
/// would expire before it ever stood.
void forget_lost_commands(Tactics& tactics, Window now) {
  const auto lost = [&](std::optional<UnderWay>& under_way) {
    if (under_way &&
        now.value > under_way->decided.value + tactics.settings.budget.reservation_windows)
      under_way.reset();
  };
  lost(tactics.escape);
  for (Plot& plot : tactics.plots) lost(plot.lift);
  for (SeedPlan& plan : tactics.plans)
    if (plan.stage != Stage::dormant || plan.scaffold) lost(plan.under_way);
  std::erase_if(tactics.plans, [](const SeedPlan& plan) {
    return plan.scaffold && plan.stage == Stage::dormant && !plan.under_way;
  });
}

void begin_cycle(Tactics& tactics, Window now) {
  const Cycle cycle = cycle_of(now, tactics.settings.time.cycle_windows);
  if (cycle == tactics.cycle) return;
  tactics.cycle = cycle;
  tactics.proposed_this_cycle = false;
  tactics.refused_this_cycle = {};
  tactics.last_refused.reset();
}

void report(Decision& decision) {
  auto& tactics = decision.tactics;
  const RegionTelemetry& seen = decision.turn.telemetry;
  RegionReport& report = decision.part.report;
  report.region = tactics.region;
  report.window = decision.turn.window;
  report.epoch = tactics.epoch;
  report.volatility = tactics.health.volatility;
  report.loss_mean = seen.loss_mean;
  report.drift = seen.drift;
  report.learning_rate_ratio = seen.learning_rate_ratio;
  report.in_crisis = tactics.health.in_crisis();
  report.stable = tactics.health.stable_windows > 0;
  report.frozen = frozen(tactics);
  report.scaffolds = static_cast<std::uint32_t>(
      std::count_if(tactics.plans.begin(), tactics.plans.end(),
                    [](const SeedPlan& plan) { return plan.scaffold.has_value(); }));
  report.non_finite = tactics.health.non_finite;
  report.wins = std::exchange(tactics.wins, 0);
  report.losses = std::exchange(tactics.losses, 0);
  report.regressions = std::exchange(tactics.regressions, 0);
  report.refused = tactics.refused_this_cycle;
  report.held = tactics.book.free();
  report.forecast = tactics.book.open();
  report.seeds = static_cast<std::uint32_t>(tactics.plans.size());
  report.movements = tactics.book.take_movements();
  report.returns = std::exchange(tactics.returns, {});
}

}  // namespace
}  // namespace tactics

Tactics::Tactics(RegionId own_region, TacticsSettings own_settings, SharedHost own_host,
                 const Catalogue& own_catalogue)
    : region(own_region),
      settings(std::move(own_settings)),
      plots(tactics::plots_of(own_region, *own_host)),
      launched(std::move(own_host)),
      catalogue(own_catalogue),
      candidates(
          tactics::candidates_of(own_region, *launched, catalogue, plots, BlueprintClass::growth)),
      scaffold_candidates(tactics::candidates_of(own_region, *launched, catalogue, plots,
                                                 BlueprintClass::scaffold)),
      stream(settings.seed, "narset", own_region.value),
      book(own_region) {}

Tactics::Tactics(RegionId own_region, TacticsSettings own_settings, HostDescription own_host,
                 const Catalogue& own_catalogue)
    : Tactics(own_region, std::move(own_settings),
              std::make_shared<const HostDescription>(std::move(own_host)), own_catalogue) {}

RegionPart decide(Tactics& tactics, const RegionTurn& turn, Epoch epoch,
                  const std::optional<std::vector<SeedStatus>>& read_back) {
  RegionPart part;
  tactics::Decision decision{tactics, turn, part};
  if (epoch != tactics.epoch) {
    tactics.epoch = epoch;
    tactics.sequence = 0;
  }
  tactics::begin_cycle(tactics, turn.window);
  tactics::follow(tactics, turn);
  if (read_back) {
    tactics::reconcile(tactics, *read_back, turn);
    part.read_back = *read_back;
  }
  tactics::forget_lost_commands(tactics, turn.window);
  tactics::review_trouble(tactics, turn.window);
  // What is decided now takes effect when the next window closes; past the lease it would be
  // refused, so the region holds still.
  const bool may_act = tactics.book.has_authority(turn.window + 1);
  if (may_act && std::exchange(tactics.escape_asked, false)) tactics::escape_now(decision);
  if (may_act && !tactics::frozen(tactics)) {
    tactics::meet_crisis(decision);
    tactics::plant_scaffold(decision);
    tactics::lift_embargoes(decision);
    tactics::judge_seeds(decision);
  }
  if (!tactics::frozen(tactics)) tactics::germinate(decision);
  tactics::settle_emergency(decision);
  tactics::report(decision);
  return part;
}

void miss(Tactics& tactics, const RegionTurn& turn) {
  tactics::begin_cycle(tactics, turn.window);
  tactics::follow(tactics, turn);
  if (planted(Planted::escape_lost)) tactics.escape_asked = false;
}

}  // namespace esper
