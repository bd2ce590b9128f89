// Tamiyo's mind under anything that regions could say.
#include "actors/decisions/random.hpp"
#include "actors/decisions/strategy.hpp"
#include "messages/json.hpp"
#include "tests/decisions/economy_turns.hpp"
#include "tests/test_seed.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

namespace esper {
namespace {

/// Anything a region could say, sound or not.
RegionReport random_report(RandomStream& random, RegionId region, Window window) {
  const auto odd = [&] {
    const double value = random.uniform();
    return random.below(30) == 0 ? std::numeric_limits<double>::quiet_NaN() : value;
  };
  const auto some = [&](std::int64_t below) {
    return Energy{random.below(50) == 0
                      ? std::numeric_limits<std::int64_t>::max()
                      : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(below))) -
                            2};
  };
  RegionReport report;
  report.region = region;
  report.window = window;
  report.volatility = odd();
  report.loss_mean = odd();
  report.learning_rate_ratio = odd();
  report.in_crisis = random.below(20) == 0;
  report.scaffolds = static_cast<std::uint32_t>(random.below(30) / 29);
  report.forecast = some(80);
  report.non_finite = random.below(40) == 0;
  report.wins = static_cast<std::uint32_t>(random.below(2));
  report.losses = static_cast<std::uint32_t>(random.below(3));
  report.regressions = static_cast<std::uint32_t>(random.below(12) / 11);
  report.confidence = odd();
  report.held = some(60);
  report.asked = some(80);
  report.refused = some(80);
  report.expected_gain = odd();
  for (std::uint64_t i = random.below(4); i > 0; --i)
    report.movements.push_back({static_cast<MovementKind>(random.below(7)),
                                {static_cast<std::uint32_t>(random.below(4))},
                                window.value * 2 - random.below(12),
                                {region, first_epoch, window.value * 4 - i},
                                some(30)});
  if (random.below(5) == 0) report.returns.push_back({region, 1, odd(), odd()});
  return report;
}

/// What else may come with a turn, sound or not: requests, checkpoints, plans and their outcomes.
void add_economy(RandomStream& random, TurnReports& turn) {
  for (std::uint32_t region = 0; region < 5; ++region) {  // two more than there are
    if (random.below(6) == 0)
      turn.scaffold_requests.push_back(
          some_request(region, static_cast<std::int64_t>(random.below(60)) - 5));
    if (random.below(12) == 0) turn.escalations.push_back({{region}, turn.window, "", {}, {"a"}});
  }
  const auto cuts = [&] {
    std::vector<GroupCut> some;
    for (std::uint64_t i = random.below(3); i > 0; --i)
      some.push_back(cut_to("conv" + std::to_string(random.below(5)),
                            static_cast<std::uint32_t>(random.below(99))));
    return some;
  };
  if (random.below(3) == 0) {
    turn.plan = plan_to_cut(random.below(40), cuts());
    turn.plan->price.energy = {static_cast<std::int64_t>(random.below(90)) - 5};
    turn.plan->zone_version = random.below(3);
  }
  if (random.below(4) == 0) {
    SurgeryOutcome outcome;
    outcome.plan = random.below(40);
    outcome.refusal = static_cast<SurgeryRefusal>(random.below(16));
    outcome.cuts = cuts();
    turn.surgeries.push_back(outcome);
  }
  if (random.below(4) == 0) turn.checkpoint.emplace();
}

void random_turn(RandomStream& random, std::vector<Strategy*> strategies, Window window,
                 std::uint64_t& next_proposal, Energy& approved) {
  std::vector<RegionReport> reports;
  std::vector<OpportunityProposal> proposals;
  std::vector<std::pair<RegionId, std::uint64_t>> asked;
  const bool missed = random.below(10) == 0;
  for (const OpportunityProposal& waiting : strategies.front()->unanswered)
    asked.emplace_back(waiting.region, waiting.id);
  for (std::uint32_t region = 0; region < 3; ++region) {
    if (random.below(8) != 0) reports.push_back(random_report(random, {region}, window));
    if (random.below(4) == 0) {
      OpportunityProposal proposal = some_proposal(region, next_proposal++, 1);
      proposal.ask = {static_cast<std::int64_t>(random.below(200))};
      proposal.predicted_gain = random.uniform() - 0.2;
      proposal.valid_until = window + random.below(9);
      asked.emplace_back(proposal.region, proposal.id);
      proposals.push_back(proposal);
    }
  }
  std::vector<std::size_t> scaffolds(3);
  for (const ScaffoldRequest& waiting : strategies.front()->scaffolds_unanswered)
    if (waiting.region.value < 3) ++scaffolds[waiting.region.value];
  TurnReports turn = turn_reports(window, reports, proposals);
  add_economy(random, turn);
  for (const ScaffoldRequest& request : turn.scaffold_requests)
    if (request.region.value < 3) ++scaffolds[request.region.value];
  std::optional<std::string> first;
  for (Strategy* strategy : strategies) {
    if (missed) {
      miss(*strategy, turn);
      CHECK(strategy->ledger.conserves_energy());
      continue;
    }
    const StrategyPart part = decide(*strategy, turn, first_epoch);
    REQUIRE(strategy->ledger.conserves_energy());
    const LedgerBalance& balance = part.balance;
    REQUIRE(balance.minted ==
            balance.available + balance.reserved + balance.spent + balance.lapsed);
    std::vector<std::pair<RegionId, std::uint64_t>> answered;
    REQUIRE(part.answers.size() == 3);
    REQUIRE(part.plan.has_value() == turn.plan.has_value());
    for (const Answers& answers : part.answers)
      REQUIRE(answers.scaffolds.size() == scaffolds[answers.region.value]);
    for (const Answers& answers : part.answers)
      for (const Verdict& verdict : answers.verdicts) {
        answered.emplace_back(verdict.region, verdict.proposal);
        approved += verdict.amount;
        REQUIRE(verdict.region == answers.region);
      }
    auto expected = asked;
    std::sort(expected.begin(), expected.end());
    std::sort(answered.begin(), answered.end());
    REQUIRE(answered == expected);
    const std::string text = to_json(part, Floats::exact).dump();
    REQUIRE(first.value_or(text) == text);
    first = text;
  }
}

SCENARIO("LEDGER-1, LEDGER-2 and ANSWER-1 hold through any turns, the same for the same turns",
         "[strategy][LEDGER-1][LEDGER-2][ANSWER-1]") {
  RandomStream random{test_seed(), "strategy"};
  Energy approved;
  for (int run = 0; run < 20; ++run) {
    StrategySettings settings = strategy_settings(static_cast<std::int64_t>(random.below(400)));
    settings.time.cycle_windows = 1 + static_cast<std::uint32_t>(random.below(7));
    settings.time.checkpoint_cycles = 1;
    settings.host = economy_settings().host;
    if (run % 3 == 0) settings.budget.emergency_sizing = PoolSizing::adaptive;
    if (run % 2 == 0) settings.allocation.policy = AllocationPolicy::bandit;
    Strategy strategy{settings}, twin{settings};
    std::uint64_t next_proposal = 1;
    for (Window window{1}; window <= Window{100}; window = window + 1)
      random_turn(random, {&strategy, &twin}, window, next_proposal, approved);
    CHECK(strategy.ledger.balance().minted >= Energy{0});
  }
  CHECK(approved > Energy{0});
}

SCENARIO("a mint of 0 grants nothing ever", "[strategy]") {
  RandomStream random{test_seed(), "no mint"};
  Strategy strategy{strategy_settings(0)};
  std::uint64_t next_proposal = 1;
  Energy approved;
  for (Window window{1}; window <= Window{300}; window = window + 1) {
    random_turn(random, {&strategy}, window, next_proposal, approved);
    const LedgerBalance balance = strategy.ledger.balance();
    CHECK(balance.minted == Energy{0});
    CHECK(balance.available == Energy{0});
    CHECK(balance.reserved == Energy{0});
  }
  CHECK(approved == Energy{0});
}

}  // namespace
}  // namespace esper
