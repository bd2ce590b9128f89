// Approved proposals on the tree, from the ask to the return, read from the journal alone.
#include <catch2/catch.hpp>

#include <algorithm>

#include "actors/decisions/strategy.hpp"
#include "actors/turn_history.hpp"
#include "tests/actors/control_plane_rig.hpp"
#include "tests/journalled.hpp"

namespace esper {

namespace {

/// Too little energy for what is wished: much has to be proposed.
RunConfig poor_config() {
  auto config = small_config();
  config.budget.mint_per_region = 6;
  return config;
}

std::vector<JournalEntry> run_of(const RunConfig& config, std::uint64_t windows) {
  Rig rig(config, 8);
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (std::uint64_t i = 0; i < windows; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{windows}, patience));
  plane.stop();
  CHECK(rig.journal.refused_movements().empty());
  return rig.journal.entries();
}

/// A proposal with the turn that it was filed and answered in.
struct Answered {
  OpportunityProposal proposal;
  Verdict verdict;
  Window window;
};

std::vector<Answered> answered(const std::vector<JournalEntry>& entries) {
  std::vector<Answered> found;
  for (const auto& filed : journalled<OpportunityProposal>(entries))
    for (const auto& part : journalled<StrategyPart>(entries))
      if (part.window == filed.window)
        for (const auto& verdict : part.said.answers.at(filed.region.value).verdicts)
          if (verdict.proposal == filed.said.id)
            found.push_back({filed.said, verdict, filed.window});
  return found;
}

/// Tamiyo's mind as it stood before that window, made from the journal as a restart makes it.
Strategy strategy_before(const RunConfig& config, const std::vector<TurnRecord>& turns,
                         Window window) {
  StrategySettings settings;
  settings.budget = config.budget;
  settings.allocation = config.allocation;
  settings.time = config.time;
  settings.gates = config.gates;
  settings.regions = 3;
  settings.host = small_host(2);
  Strategy strategy(settings);
  for (const auto& turn : turns)
    if (turn.window < window) (void)decide(strategy, turn.reports.value(), turn.epoch);
  return strategy;
}

/// Every lease that the others are dealt from that window to the end of its cycle.
std::string grants_of_others(Strategy strategy, const RunConfig& config,
                             const std::vector<TurnRecord>& turns, const Answered& approved,
                             bool with_proposal) {
  std::string grants;
  const std::uint32_t length = config.time.cycle_windows;
  const Window end = last_window(cycle_of(approved.window + 1, length), length);
  for (const auto& turn : turns) {
    if (turn.window < approved.window || turn.window >= end) continue;
    TurnReports reports = turn.reports.value();
    if (!with_proposal && turn.window == approved.window)
      std::erase_if(reports.proposals, [&](const OpportunityProposal& one) {
        return one.region == approved.proposal.region && one.id == approved.proposal.id;
      });
    for (const auto& answers : decide(strategy, reports, turn.epoch).answers)
      if (answers.allocation && answers.region != approved.proposal.region)
        grants += canonical(*answers.allocation) + "\n";
  }
  return grants;
}

/// The rank that the proposal is judged by in its turn.
double score_of(Strategy strategy, const TurnRecord& turn, const OpportunityProposal& proposal) {
  const auto part = decide(strategy, turn.reports.value(), turn.epoch);
  for (const auto& verdict : part.answers.at(proposal.region.value).verdicts)
    if (verdict.proposal == proposal.id) return verdict.score;
  return -1;
}

/// The same past, but for one thing: nobody ever heard what became of a proposal.
std::vector<TurnRecord> without_returns(std::vector<TurnRecord> turns) {
  for (auto& turn : turns)
    for (auto& report : turn.reports.value().reports) report.returns.clear();
  return turns;
}

}  // namespace

SCENARIO("an approved proposal exceeds its region's lease and raises nobody else's grant",
         "[control_plane][opportunity]") {
  const auto config = poor_config();
  const auto entries = run_of(config, 50);
  const auto turns = tamiyo_records(entries);
  std::size_t approved = 0;
  for (const auto& one : answered(entries)) {
    if (one.verdict.kind != VerdictKind::approved) continue;
    INFO("window " << one.window.value << ", region " << one.proposal.region.value);
    ++approved;
    const auto& turn = turns.at(one.window.value - 1);
    const Energy held = turn.reports.value().reports.at(one.proposal.region.value).held;
    const Energy price = held + one.proposal.ask;
    Strategy strategy = strategy_before(config, turns, one.window);
    const auto without = grants_of_others(strategy, config, turns, one, false);
    CHECK(grants_of_others(strategy, config, turns, one, true) == without);
    const auto part = decide(strategy, turn.reports.value(), turn.epoch);
    const auto& renewed = part.answers.at(one.proposal.region.value).allocation;
    const Energy lease = renewed ? renewed->energy : held;
    CHECK(lease < price);
    CHECK(lease + one.verdict.amount == price);
  }
  CHECK(approved >= 2);
}

SCENARIO("a seed that a proposal paid for is held to its conditions by the executor",
         "[control_plane][opportunity]") {
  const auto entries = run_of(poor_config(), 50);
  const auto outcomes = journalled<Outcome>(entries);
  std::size_t planted = 0;
  for (const auto& [proposal, verdict, window] : answered(entries)) {
    if (verdict.kind != VerdictKind::approved) continue;
    for (const auto& given : journalled<AdaptationCommand>(entries)) {
      if (given.said.kind != CommandKind::germinate || given.region != proposal.region ||
          given.window <= window || given.window > verdict.until ||
          given.said.slot != proposal.slot)
        continue;
      ++planted;
      CHECK(canonical(given.said.mitigations) == canonical(verdict.conditions));
      for (const auto& outcome : outcomes)
        if (outcome.said.seed == given.said.seed && outcome.said.kind != CommandKind::cull &&
            outcome.said.kind != CommandKind::lift_embargo &&
            outcome.said.refusal == CommandRefusal::none)
          CHECK(canonical(outcome.said.enforced) == canonical(verdict.conditions));
    }
  }
  CHECK(planted >= 2);
}

SCENARIO("what a proposal brought is booked and changes its region's later rank",
         "[control_plane][opportunity]") {
  const auto config = poor_config();
  const auto entries = run_of(config, 50);
  const auto turns = tamiyo_records(entries);
  const auto unpaid = without_returns(turns);
  std::size_t changed = 0;
  for (const auto& [proposal, verdict, window] : answered(entries)) {
    INFO("window " << window.value << ", region " << proposal.region.value);
    bool returned = false;
    for (const auto& report : journalled<RegionReport>(entries))
      returned = returned || (report.region == proposal.region && report.window <= window &&
                              !report.said.returns.empty());
    const std::size_t place = window.value - 1;
    const Strategy informed = strategy_before(config, turns, window);
    const Strategy ignorant = strategy_before(config, unpaid, window);
    CHECK(score_of(informed, turns.at(place), proposal) == verdict.score);
    const double otherwise = score_of(ignorant, unpaid.at(place), proposal);
    CHECK((otherwise != verdict.score) == returned);
    changed += returned;
  }
  CHECK(changed >= 2);
}

}  // namespace esper
