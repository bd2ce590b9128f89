// Who gets a scaffold, who does not and why, and what a region at its wits' end does instead.
#include "actors/decisions/strategy.hpp"

#include "tests/decisions/economy_turns.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace esper {
namespace {

std::string name(ScaffoldAnswer answer) { return std::string{name_of(answer)}; }

/// Region 0 is shaken from window 2 on.
struct Shaken {
  explicit Shaken(StrategySettings chosen = economy_settings())
      : settings(std::move(chosen)), strategy(settings) {
    shaken = false;
    turn();
    shaken = true;
  }

  TurnReports reports() {
    TurnReports told = economy_turn(settings, window);
    told.reports[0].in_crisis = shaken;
    told.reports[0].scaffolds = standing;
    return told;
  }
  /// One turn, with a request of region 0 for `ask`.
  const StrategyPart& turn(std::optional<std::int64_t> ask = std::nullopt) {
    window = window + 1;
    TurnReports told = reports();
    if (ask) told.scaffold_requests.push_back(some_request(0, *ask));
    return part = decide(strategy, told, first_epoch);
  }
  ScaffoldVerdict ask(std::int64_t price) {
    const auto& verdicts = turn(price).answers.at(0).scaffolds;
    REQUIRE(verdicts.size() == 1);
    return verdicts.front();
  }

  StrategySettings settings;
  Strategy strategy;
  StrategyPart part;
  Window window;
  bool shaken{};
  std::uint32_t standing{};
};

SCENARIO("a region in crisis gets a scaffold out of the pool, and a zone with it",
         "[strategy][scaffold]") {
  Shaken run;
  const Energy pool = run.strategy.ledger.emergency();
  const ScaffoldVerdict verdict = run.ask(50);
  CHECK(name(verdict.answer) == "granted");
  CHECK(verdict.amount == Energy{50});
  CHECK(verdict.blueprint == "batch_norm_skip");
  CHECK(verdict.until > run.window);
  CHECK(run.strategy.ledger.escrow({0}).value().free == Energy{50});
  CHECK(run.strategy.ledger.emergency() == pool + run.part.mint.value().emergency - Energy{50});
  CHECK(run.part.answers[0].embargoed);
  CHECK(run.part.answers[1].embargoed);
  CHECK_FALSE(run.part.answers[2].embargoed);
  CHECK(run.part.zones.zones.at(0).region == RegionId{0});
  WHEN("it is never planted") {
    while (run.window <= verdict.until) {
      run.turn();
      CHECK(run.part.answers[0].emergency_reclaimed == (run.window > verdict.until));
    }
    CHECK_FALSE(run.strategy.ledger.escrow({0}).has_value());
    CHECK(name(run.ask(50).answer) == "granted");
  }
  WHEN("it is planted and drawn from") {
    run.standing = 1;
    run.window = run.window + 1;
    TurnReports told = run.reports();
    told.reports[0].movements = {{MovementKind::draw, {0}, 0, {{0}, first_epoch, 5}, {20}}};
    const Energy before = run.strategy.ledger.balance().spent;
    CHECK(decide(run.strategy, told, first_epoch).refused.empty());
    CHECK(run.strategy.ledger.balance().spent == before + Energy{20});
    CHECK(name(run.ask(50).answer) == "standing");
    THEN("it counts as spend for the throttle") {
      CHECK(run.part.pruning.value().spend == Energy{20});
    }
    THEN("what it leaves returns to the pool") {
      const Energy pool_before = run.strategy.ledger.emergency();
      run.window = run.window + 1;
      told = run.reports();
      told.reports[0].movements = {{MovementKind::give_back, {0}, 0, {}, {30}}};
      const StrategyPart part = decide(run.strategy, told, first_epoch);
      CHECK(part.refused.empty());
      const Energy minted = part.mint ? part.mint->emergency : Energy{};
      CHECK(run.strategy.ledger.emergency() == pool_before + minted + Energy{30});
    }
    THEN("undrawn for too long it is reclaimed though it stands, and its zone stays") {
      bool reclaimed = false;
      for (int i = 0; i < 25 && !reclaimed; ++i)
        reclaimed = run.turn().answers[0].emergency_reclaimed;
      CHECK(reclaimed);
      CHECK(run.part.answers[0].embargoed);
      CHECK(run.strategy.zones.has_scaffold({0}));
    }
  }
  CHECK(run.strategy.ledger.conserves_energy());
}

SCENARIO("each request that is not granted says why", "[strategy][scaffold][ANSWER-1]") {
  Shaken run;
  GIVEN("no crisis") {
    run.shaken = false;
    CHECK(name(run.ask(50).answer) == "no_crisis");
  }
  GIVEN("a poor pool") {
    const ScaffoldVerdict verdict = run.ask(100'000);
    CHECK(name(verdict.answer) == "pool_empty");
    CHECK(verdict.amount == Energy{0});
    CHECK(verdict.until > run.window);
  }
  GIVEN("one granted before it is planted") {
    CHECK(name(run.ask(50).answer) == "granted");
    CHECK(name(run.ask(50).answer) == "standing");
  }
  GIVEN("one that left without giving its rest back") {
    CHECK(name(run.ask(50).answer) == "granted");
    run.standing = 1;
    run.turn();
    run.standing = 0;
    run.turn();
    CHECK_FALSE(run.strategy.zones.has_scaffold({0}));
    CHECK(name(run.ask(50).answer) == "standing");
  }
  GIVEN("two at once, one for a region that says nothing, one for a region that there is not") {
    run.window = run.window + 1;
    TurnReports told = run.reports();
    told.reports.pop_back();
    told.scaffold_requests = {some_request(0, 20), some_request(0, 20), some_request(2, 20),
                              some_request(9, 20)};
    const StrategyPart part = decide(run.strategy, told, first_epoch);
    REQUIRE(part.answers[0].scaffolds.size() == 2);
    CHECK(name(part.answers[0].scaffolds[0].answer) == "granted");
    CHECK(name(part.answers[0].scaffolds[1].answer) == "standing");
    REQUIRE(part.answers[2].scaffolds.size() == 1);
    CHECK(name(part.answers[2].scaffolds[0].answer) == "no_crisis");
  }
  GIVEN("a turn that the strategist missed") {
    run.window = run.window + 1;
    TurnReports told = run.reports();
    told.scaffold_requests = {some_request(0, 20)};
    miss(run.strategy, told);
    run.turn();
    REQUIRE(run.part.answers[0].scaffolds.size() == 1);
    CHECK(name(run.part.answers[0].scaffolds[0].answer) == "no_crisis");
    CHECK_FALSE(run.strategy.ledger.escrow({0}).has_value());
    CHECK(run.turn().answers[0].scaffolds.empty());
  }
}

/// A scaffold comes and goes, without help.
ScaffoldVerdict in_vain(Shaken& run) {
  ScaffoldVerdict verdict = run.ask(20);
  if (verdict.answer != ScaffoldAnswer::granted) return verdict;
  run.standing = 1;
  run.turn();
  run.standing = 0;
  run.window = run.window + 1;
  TurnReports told = run.reports();
  told.reports[0].movements = {{MovementKind::give_back, {0}, 0, {}, {20}}};
  (void)decide(run.strategy, told, first_epoch);
  return verdict;
}

SCENARIO("five scaffolds in a row in one region open its thrash breaker", "[strategy][scaffold]") {
  Shaken run;
  for (int i = 0; i < 5; ++i) CHECK(name(in_vain(run).answer) == "granted");
  const ScaffoldVerdict verdict = in_vain(run);
  CHECK(name(verdict.answer) == "thrashing");
  CHECK(verdict.until > run.window + 40);
  WHEN("its time is over, one may try, and the breaker is open for twice as long") {
    while (run.window.value + 1 < verdict.until.value) run.turn();
    CHECK(name(in_vain(run).answer) == "granted");
    const ScaffoldVerdict next = in_vain(run);
    CHECK(name(next.answer) == "thrashing");
    CHECK(next.until > run.window + 90);
  }
  WHEN("the time is over and a checkpoint was clean") {
    run.shaken = false;
    while (run.window < verdict.until + 8) run.turn();
    run.shaken = true;
    for (int i = 0; i < 5; ++i) CHECK(name(in_vain(run).answer) == "granted");
    CHECK(name(in_vain(run).answer) == "thrashing");
  }
  WHEN("another region is shaken") {
    run.window = run.window + 1;
    TurnReports told = run.reports();
    told.reports[2].in_crisis = true;
    told.scaffold_requests = {some_request(2, 20)};
    const StrategyPart part = decide(run.strategy, told, first_epoch);
    CHECK(name(part.answers[2].scaffolds.at(0).answer) == "granted");
  }
}

SCENARIO("a clean checkpoint between scaffolds keeps the breaker closed", "[strategy][scaffold]") {
  Shaken run;
  for (int i = 0; i < 12; ++i) {
    CHECK(name(in_vain(run).answer) == "granted");
    run.shaken = false;
    for (int calm = 0; calm < 8; ++calm) run.turn();
    run.shaken = true;
  }
}

SCENARIO("an escalation is answered with another tactic, never with what failed",
         "[strategy][scaffold][ANSWER-1]") {
  Shaken run;
  const auto escalate = [&](std::vector<std::string> tried, std::vector<std::string> left) {
    run.window = run.window + 1;
    TurnReports told = run.reports();
    Escalation escalation;
    escalation.region = {0};
    escalation.window = run.window;
    escalation.tried = std::move(tried);
    escalation.left = std::move(left);
    told.escalations = {escalation};
    return told;
  };
  GIVEN("a scaffold that was not tried") {
    const auto part = decide(run.strategy, escalate({"a"}, {"a", "b", "c"}), first_epoch);
    const Counsel counsel = part.answers[0].counsel.value();
    CHECK(counsel.tactic == Tactic::another_scaffold);
    CHECK(counsel.blueprint == "b");
    CHECK_FALSE(part.answers[1].counsel.has_value());
  }
  GIVEN("nothing left") {
    const auto part = decide(run.strategy, escalate({"a", "b"}, {}), first_epoch);
    CHECK(part.answers[0].counsel.value().tactic == Tactic::rest);
    CHECK(part.answers[0].counsel.value().until == run.window + 2);
    CHECK_FALSE(part.answers[0].counsel.value().reason.empty());
  }
  GIVEN("only what has failed left") {
    const auto part = decide(run.strategy, escalate({"a", "b"}, {"b"}), first_epoch);
    CHECK(part.answers[0].counsel.value().tactic == Tactic::rest);
  }
  GIVEN("a region that thrashes") {
    for (int i = 0; i < 5; ++i) (void)in_vain(run);
    const auto part = decide(run.strategy, escalate({"a"}, {"b"}), first_epoch);
    CHECK(part.answers[0].counsel.value().tactic == Tactic::rest);
  }
  GIVEN("a strategist that was away") {
    miss(run.strategy, escalate({"a"}, {"b"}));
    CHECK(run.turn().answers[0].counsel.value().blueprint == "b");
    CHECK_FALSE(run.turn().answers[0].counsel.has_value());
  }
}

SCENARIO("an adaptive pool mints by what regions reported over the cycle", "[strategy][mint]") {
  const auto pool_after = [](double volatility, PoolSizing sizing) {
    StrategySettings settings = economy_settings();
    settings.budget.emergency_sizing = sizing;
    Strategy strategy{settings};
    Mint minted;
    for (Window window{1}; window <= Window{4}; window = window + 1) {
      TurnReports turn = economy_turn(settings, window);
      for (RegionReport& report : turn.reports) report.volatility = volatility;
      const StrategyPart part = decide(strategy, turn, first_epoch);
      if (part.mint) minted = *part.mint;
    }
    CHECK(minted.minted == minted.emergency + minted.safety + minted.treasury);
    return minted.emergency;
  };
  CHECK(pool_after(0.9, PoolSizing::fixed) == Energy{300});
  CHECK(pool_after(0, PoolSizing::adaptive) == Energy{150});
  CHECK(pool_after(0.5, PoolSizing::adaptive) == Energy{450});
}

}  // namespace
}  // namespace esper
