// A region told anything at all: outcomes of commands never given, answers to nothing asked,
// telemetry of another world. Whatever it hears, it keeps its own rules.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "actors/decisions/lifecycle.hpp"
#include "messages/json.hpp"
#include "tests/decisions/disturb.hpp"
#include "tests/decisions/scripted_region.hpp"

namespace esper {
namespace {

/// An outcome about one of the region's seeds, of a command that was given or of none.
Outcome some_outcome(const Tactics& tactics, RandomStream& stream) {
  Outcome outcome;
  outcome.kind = static_cast<CommandKind>(stream.below(EnumNames<CommandKind>::values.size()));
  outcome.slot = {static_cast<std::uint32_t>(stream.below(3))};
  outcome.stage = static_cast<Stage>(stream.below(EnumNames<Stage>::values.size()));
  outcome.parameters = 200;
  outcome.enforced.alpha_stages = {0.5, 1};
  outcome.reflex = stream.below(12) == 0;
  if (stream.below(3) == 0)
    outcome.refusal =
        static_cast<CommandRefusal>(stream.below(EnumNames<CommandRefusal>::values.size()));
  outcome.seed = {((std::uint64_t{1}) << 40) + stream.below(8)};
  if (!tactics.plans.empty() && stream.below(4) != 0) {
    const SeedPlan& plan = tactics.plans[stream.below(tactics.plans.size())];
    outcome.seed = plan.seed;
    if (plan.under_way && stream.below(4) != 0) {
      outcome.command = plan.under_way->id;
      if (stream.below(4) != 0) outcome.kind = plan.under_way->kind;
    }
  } else if (tactics.escape && stream.below(2) == 0) {
    outcome.command = tactics.escape->id;
    outcome.kind = CommandKind::escape;
  }
  return outcome;
}

RegionTurn some_turn(const Tactics& tactics, RandomStream& stream, Window window,
                     std::uint64_t rarity, bool troubled) {
  RegionTurn turn;
  turn.window = window;
  RegionTelemetry& seen = turn.telemetry;
  seen.window = window;
  seen.steps_covered = 25;
  seen.loss_mean = seen.diversity = seen.signal_rms = seen.signal_gradient = 1;
  seen.loss_sigma = 0.1;
  seen.gradient_norm_median = seen.gradient_norm_max = seen.learning_rate_ratio = 1;
  for (const SeedPlan& plan : tactics.plans) {
    SeedTelemetry seed;
    seed.seed = plan.seed;
    seed.slot = tactics.plots[plan.plot].slot;
    seed.stage = plan.stage;
    seed.alpha = plan.stage == Stage::weaning && stream.below(2) == 0 ? 0 : 1;
    seed.gradient_norm = 1;
    seed.updates = 100;
    seed.relative_norm = 0.5;
    seed.gate = {true, 1, 0.9, 0.9, true, 1'024};
    seen.seeds.push_back(seed);
  }
  if (stream.below(4) == 0) {
    seen.loss_sigma = 0.01;
    seen.loss_mean = 0.98 + 0.1 * stream.uniform();
  }
  for (std::uint64_t i = stream.below(4); i > 0; --i)
    turn.outcomes.push_back(some_outcome(tactics, stream));
  // Long lives need an honest executor now and then.
  for (const SeedPlan& plan : tactics.plans)
    if (plan.scaffold && plan.under_way && stream.below(4) != 0) {
      Outcome honest = some_outcome(tactics, stream);
      honest.reflex = false;
      honest.refusal = CommandRefusal::none;
      honest.seed = plan.seed;
      honest.command = plan.under_way->id;
      honest.kind = plan.under_way->kind;
      turn.outcomes.push_back(honest);
    }
  if (stream.below(3) == 0)
    turn.answers.allocation = Allocation{
        {0}, {1}, {static_cast<std::int64_t>(stream.below(300))}, window + stream.below(9)};
  for (std::uint64_t i = stream.below(3); i > 0; --i) {
    turn.answers.top_ups.push_back({{0}, stream.below(30), {5}});
    Verdict verdict;
    verdict.proposal = stream.below(tactics.next_proposal + 2);
    verdict.kind = static_cast<VerdictKind>(stream.below(3));
    verdict.amount = {40};
    verdict.until = window + stream.below(9);
    verdict.conditions.alpha_stages = {0.5};
    turn.answers.verdicts.push_back(verdict);
  }
  // Trouble comes in spells of eight windows, so that scaffolds are asked for and succeed.
  if (troubled && window.value / 8 % 2 == 1 && stream.below(8) != 0)
    seen.jitter = seen.signal_rms = 20;
  if (tactics.trouble.asked && stream.below(3) != 0) {
    const Candidate& wanted = tactics.scaffold_candidates[tactics.trouble.asked->candidate];
    ScaffoldVerdict verdict;
    verdict.blueprint = wanted.blueprint;
    verdict.slot = tactics.plots[wanted.plot].slot;
    if (stream.below(4) == 0) verdict.answer = static_cast<ScaffoldAnswer>(stream.below(5));
    verdict.amount = {static_cast<std::int64_t>(stream.below(90))};
    verdict.until = window + stream.below(6);
    turn.answers.scaffolds.push_back(verdict);
  }
  turn.answers.emergency_reclaimed = stream.below(30) == 0;
  if (stream.below(8) == 0)
    turn.answers.counsel = Counsel{{0},
                                   static_cast<Tactic>(stream.below(2)),
                                   stream.below(2) == 0 ? "folding" : "weaning",
                                   window + stream.below(4),
                                   {}};
  if (stream.below(6) == 0) turn.checkpoint = CheckpointReady{1, window, 0, 1, 0, false};
  if (stream.below(9) == 0) turn.surgeries.emplace_back();
  if (stream.below(6) == 0) turn.answers.expired.push_back(stream.below(30));
  disturb(turn.telemetry, stream, rarity);
  disturb(turn.outcomes, stream, rarity);
  disturb(turn.answers, stream, rarity);
  disturb(turn.checkpoint, stream, rarity);
  disturb(turn.surgeries, stream, rarity);
  return turn;
}

using Commanded = std::map<SeedId, UnderWay>;

Commanded under_way(const Tactics& tactics) {
  Commanded commanded;
  for (const SeedPlan& plan : tactics.plans)
    if (plan.under_way) commanded.emplace(plan.seed, *plan.under_way);
  return commanded;
}

/// A germination that the region did not ask for: the seed of that number is another one.
bool told_anew(const Outcome& outcome, SeedId seed) {
  return outcome.seed == seed && outcome.kind == CommandKind::germinate && !outcome.reflex &&
         outcome.refusal == CommandRefusal::none;
}

/// Was the earlier command answered in this turn, or is it so old that it counts as lost?
bool settled(const UnderWay& earlier, SeedId seed, const RegionTurn& turn, const Tactics& tactics) {
  for (const Outcome& outcome : turn.outcomes)
    if (outcome.command == earlier.id || told_anew(outcome, seed)) return true;
  return turn.window > earlier.decided + tactics.settings.budget.reservation_windows;
}

void check_part(const Tactics& tactics, const Commanded& before, const RegionTurn& turn,
                const RegionPart& part) {
  std::map<SeedId, int> count;
  std::map<SlotId, int> lifted;
  for (const AdaptationCommand& command : part.commands) {
    if (command.kind == CommandKind::escape) continue;
    RC_ASSERT(turn.window < command.authority_until);
    if (command.kind == CommandKind::lift_embargo) {
      RC_ASSERT(++lifted[command.slot] == 1);
      continue;
    }
    RC_ASSERT(++count[command.seed] == 1);
    const auto earlier = before.find(command.seed);
    // RapidCheck evaluates both sides of an || of its own.
    const bool free =
        earlier == before.end() || settled(earlier->second, command.seed, turn, tactics);
    RC_ASSERT(free);
    bool planned = false;
    for (const SeedPlan& plan : tactics.plans) {
      if (plan.seed != command.seed) continue;
      planned = true;
      RC_ASSERT(after(plan.stage, command.kind).has_value());
      const bool this_one = plan.under_way && plan.under_way->id == command.id;
      RC_ASSERT(this_one);
    }
    RC_ASSERT(planned);
  }
  for (const Movement& movement : part.report.movements) RC_ASSERT(movement.energy >= Energy{});
  RC_ASSERT(part.report.held >= Energy{});
  RC_ASSERT(tactics.book.emergency() >= Energy{});
  if (!part.scaffold_requests.empty()) RC_ASSERT(part.report.in_crisis);
  RC_ASSERT(part.report.forecast >= Energy{});
  for (std::size_t first = 0; first < tactics.plans.size(); ++first)
    for (std::size_t next = first + 1; next < tactics.plans.size(); ++next)
      RC_ASSERT(tactics.plans[first].seed != tactics.plans[next].seed);
}

/// Sixty windows of wild turns; the kinds of command that were given.
std::set<CommandKind> live_through(std::uint64_t start) {
  std::set<CommandKind> commanded;
  RandomStream stream{start, "wild turns"};
  const std::uint64_t rarity = 3 + stream.below(start % 4 == 0 ? 2'000 : 100);
  Tactics tactics = scaffold_tactics();
  Epoch epoch{1};
  for (Window window{1}; window <= Window{60}; window = window + 1 + stream.below(15) / 14) {
    const RegionTurn turn = some_turn(tactics, stream, window, rarity, start % 2 == 0);
    if (stream.below(12) == 0) {
      miss(tactics, turn);
      continue;
    }
    std::optional<std::vector<SeedStatus>> read_back;
    if (stream.below(20) == 0) {
      epoch = {epoch.value + 1};
      read_back.emplace();
      for (const SeedPlan& plan : tactics.plans)
        read_back->push_back({plan.seed,
                              {0},
                              tactics.plots[plan.plot].slot,
                              plan.blueprint,
                              static_cast<Stage>(stream.below(EnumNames<Stage>::values.size())),
                              stream.uniform(),
                              1,
                              200,
                              {}});
      disturb(*read_back, stream, rarity);
    }
    const Commanded before = read_back ? Commanded{} : under_way(tactics);
    Tactics twin = tactics;
    const RegionPart part = decide(tactics, turn, epoch, read_back);
    check_part(tactics, before, turn, part);
    RC_ASSERT(canonical(decide(twin, turn, epoch, read_back)) == canonical(part));
    for (const AdaptationCommand& command : part.commands) commanded.insert(command.kind);
  }
  return commanded;
}

SCENARIO("told anything at all, tactics never throw, never command what is illegal or twice",
         "[tactics][wild]") {
  CHECK(rc::check("any turns, absences, restarts and read-backs",
                  [](std::uint64_t start) { (void)live_through(start); }));
}

SCENARIO("wild turns are no test of silence: every kind of command is given", "[tactics][wild]") {
  std::set<CommandKind> commanded;
  for (std::uint64_t start = 1; start <= 400; ++start) commanded.merge(live_through(start));
  for (std::size_t kind = 0; kind < EnumNames<CommandKind>::values.size(); ++kind) {
    CAPTURE(name_of(static_cast<CommandKind>(kind)));
    CHECK(commanded.contains(static_cast<CommandKind>(kind)));
  }
}

}  // namespace
}  // namespace esper
