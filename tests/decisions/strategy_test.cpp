#include "actors/decisions/strategy.hpp"

#include "tests/decisions/some_reports.hpp"
#include "tests/decisions/turn_reports.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <array>
#include <limits>

namespace esper {
namespace {

StrategyPart decide_calm(Strategy& strategy, Window window) {
  return decide(strategy, turn_reports(window, calm_reports(window)), first_epoch);
}

SCENARIO("leases are dealt a turn early and their authority has no gap", "[strategy]") {
  Strategy strategy{strategy_settings()};
  Window until{0};
  for (Window window{1}; window <= Window{25}; window = window + 1) {
    const StrategyPart part = decide_calm(strategy, window);
    CHECK(part.mint.has_value() == (window == Window{1} || window.value % 6 == 0));
    REQUIRE(part.answers.size() == 3);
    for (std::uint32_t region = 0; region < 3; ++region) {
      CHECK(part.answers[region].region == RegionId{region});
      const auto& lease = part.answers[region].allocation;
      CHECK(lease.has_value() == part.mint.has_value());
      if (!lease) continue;
      CHECK(lease->cycle == part.mint->cycle);
      CHECK(lease->until == Window{6 * lease->cycle.value + 1});
      // Bound from the turn after this one, whose commands apply at the boundary after that.
      CHECK((window == Window{1} || until >= window + 1));
    }
    if (part.mint) until = part.answers[0].allocation->until;
  }
}

SCENARIO("a mint is split, dealt in whole seeds and the rest kept for proposals", "[strategy]") {
  Strategy strategy{strategy_settings()};
  const StrategyPart part = decide_calm(strategy, {1});
  REQUIRE(part.mint.has_value());
  CHECK(part.mint->minted == Energy{300});
  CHECK(part.mint->treasury == Energy{240});
  // 70 % of the treasury, 168, pays four seeds of 40; the cycle's number says who begins.
  CHECK(part.answers[0].allocation->energy == Energy{40});
  CHECK(part.answers[1].allocation->energy == Energy{80});
  CHECK(part.answers[2].allocation->energy == Energy{40});
  CHECK(strategy.ledger.treasury() == Energy{80});
  CHECK(part.mint->compaction == Energy{120});  // 40 % beside it, for pruning
  CHECK(part.balance.minted == Energy{420});
  CHECK(part.balance.available == Energy{420});
  WHEN("the cycle ends") {
    for (Window window{2}; window < Window{6}; window = window + 1)
      (void)decide_calm(strategy, window);
    const StrategyPart next = decide_calm(strategy, {6});
    THEN("what was not reserved lapses; pool and safety stay") {
      CHECK(next.balance.lapsed == Energy{240 + 120});
      CHECK(next.balance.minted == Energy{840});
      CHECK(strategy.ledger.emergency() == Energy{60});
      CHECK(strategy.ledger.safety() == Energy{60});
    }
    THEN("the pool keeps three shares at most") {
      for (Window window{7}; window <= Window{60}; window = window + 1)
        (void)decide_calm(strategy, window);
      CHECK(strategy.ledger.emergency() == Energy{90 + 30});
      CHECK(strategy.ledger.conserves_energy());
    }
  }
}

SCENARIO("a hold mints nothing and authority goes on", "[strategy]") {
  Strategy strategy{strategy_settings()};
  for (Window window{1}; window <= Window{5}; window = window + 1)
    (void)decide_calm(strategy, window);
  auto broken = calm_reports({6});
  broken[2].non_finite = true;
  const StrategyPart part =
      decide(strategy, turn_reports({6}, broken, {some_proposal(0, 1, 5)}), first_epoch);
  REQUIRE(part.posture.has_value());
  CHECK(part.posture->from == Posture::explore);
  CHECK(part.posture->to == Posture::hold);
  CHECK_FALSE(part.posture->reason.empty());
  REQUIRE(part.mint.has_value());
  CHECK(part.mint->minted == Energy{0});
  for (const Answers& answers : part.answers) {
    REQUIRE(answers.allocation.has_value());
    CHECK(answers.allocation->energy == Energy{0});
    CHECK(answers.allocation->until == Window{13});
  }
  CHECK(part.answers[0].verdicts.at(0).kind == VerdictKind::deferred);
}

SCENARIO("regressions halve the coming mints", "[strategy]") {
  Strategy strategy{strategy_settings()};
  (void)decide_calm(strategy, {1});
  auto regressed = calm_reports({2});
  regressed[0].losses = regressed[0].regressions = 1;
  (void)decide(strategy, turn_reports({2}, regressed), first_epoch);
  std::vector<std::int64_t> minted;
  for (Window window{3}; window <= Window{24}; window = window + 1)
    if (const auto part = decide_calm(strategy, window); part.mint)
      minted.push_back(part.mint->minted.thousandths);
  // Exploit while headroom is below 1: 300 * 0.6 * 0.5; three cycles later it is forgotten.
  CHECK(minted == std::vector<std::int64_t>{90, 90, 90, 300});
}

SCENARIO("an absent region gets authority back when it reports", "[strategy]") {
  Strategy strategy{strategy_settings()};
  (void)decide_calm(strategy, {1});
  for (Window window{2}; window <= Window{6}; window = window + 1) {
    auto reports = calm_reports(window);
    reports.erase(reports.begin() + 1);
    const StrategyPart part = decide(strategy, turn_reports(window, reports), first_epoch);
    CHECK(part.answers.size() == 3);
    CHECK_FALSE(part.answers[1].allocation.has_value());
  }
  CHECK(strategy.ledger.lease({1}).free == Energy{80});  // in escrow until it ends
  const StrategyPart part = decide_calm(strategy, {9});
  REQUIRE(part.answers[1].allocation.has_value());
  CHECK(part.answers[1].allocation->energy == Energy{0});
  CHECK(part.answers[1].allocation->until == Window{13});
  CHECK_FALSE(part.answers[0].allocation.has_value());
  CHECK(strategy.ledger.lease({1}).free == Energy{0});
}

SCENARIO("a strategist that was away answers for its absence", "[strategy]") {
  Strategy strategy{strategy_settings()};
  (void)decide_calm(strategy, {1});
  auto reports = calm_reports({2});
  reports[0].movements = {
      {MovementKind::reserve, {0}, 1, {{0}, first_epoch, 1}, {40}},
      {MovementKind::top_up, {0}, 1, {{0}, first_epoch, 2}, {10}},
      {MovementKind::release, {0}, 9, {}, {0}},
  };
  miss(strategy, turn_reports({2}, reports, {some_proposal(2, 7, 10)}));
  CHECK(strategy.ledger.balance().reserved == Energy{40});
  for (Window window{3}; window <= Window{6}; window = window + 1)
    miss(strategy, turn_reports(window, calm_reports(window)));
  const StrategyPart part = decide_calm(strategy, {7});
  REQUIRE(part.answers[2].verdicts.size() == 1);
  CHECK(part.answers[2].verdicts[0].proposal == 7);
  CHECK(part.answers[2].verdicts[0].kind == VerdictKind::denied);
  CHECK(part.answers[2].verdicts[0].reason == "no strategist in that turn");
  REQUIRE(part.answers[0].top_ups.size() == 1);
  CHECK(part.answers[0].top_ups[0].energy == Energy{10});
  CHECK(part.refused.size() == 1);
  REQUIRE(part.mint.has_value());  // of the cycle whose mint it missed
  CHECK(part.mint->cycle == Cycle{2});
  const StrategyPart next = decide_calm(strategy, {8});
  CHECK(next.answers[2].verdicts.empty());
  CHECK(next.refused.empty());
}

SCENARIO("what regions told an absent strategist counts", "[strategy]") {
  const auto after = [](bool absent) {
    Strategy strategy{strategy_settings()};
    (void)decide_calm(strategy, {1});
    auto reports = calm_reports({2});
    reports[0].losses = reports[0].regressions = 1;
    reports[0].returns = {{{0}, 1, 0.1, -0.1}};
    if (absent)
      miss(strategy, turn_reports({2}, reports));
    else
      (void)decide(strategy, turn_reports({2}, reports), first_epoch);
    for (Window window{3}; window < Window{6}; window = window + 1)
      (void)decide_calm(strategy, window);
    const StrategyPart part = decide_calm(strategy, {6});
    return std::pair{part.mint.value().minted, strategy.reputations[0].value()};
  };
  CHECK(after(true) == after(false));
  CHECK(after(true).first < Energy{300});
  CHECK(after(true).second < 1);
}

SCENARIO("reservations expire and their region is told", "[strategy]") {
  Strategy strategy{strategy_settings()};
  (void)decide_calm(strategy, {1});
  auto reports = calm_reports({2});
  reports[0].movements = {{MovementKind::reserve, {0}, 1, {{0}, first_epoch, 1}, {40}}};
  (void)decide(strategy, turn_reports({2}, reports), first_epoch);
  for (Window window{3}; window < Window{22}; window = window + 1)
    CHECK(decide_calm(strategy, window).answers[0].expired.empty());
  CHECK(decide_calm(strategy, {22}).answers[0].expired == std::vector<std::uint64_t>{1});
}

SCENARIO("a refused movement is told with its region and reason", "[strategy]") {
  Strategy strategy{strategy_settings()};
  (void)decide_calm(strategy, {1});
  auto reports = calm_reports({2});
  reports[1].movements = {{MovementKind::reserve, {0}, 5, {{1}, first_epoch, 1}, {4'000}}};
  const StrategyPart part = decide(strategy, turn_reports({2}, reports), first_epoch);
  REQUIRE(part.refused.size() == 1);
  CHECK(part.refused[0] == "region 1: reserve of reservation 5: the account holds less");
}

SCENARIO("an approved proposal exceeds its own lease and touches nobody else's", "[strategy]") {
  int approvals = 0;
  CHECK(rc::check("grants are the same with and without proposals, to the cycle's end", [&] {
    Strategy with{strategy_settings(*rc::gen::inRange(0, 300))};
    with.settings.allocation.policy =
        *rc::gen::element(AllocationPolicy::uniform, AllocationPolicy::bandit);
    with.allocator = make_allocator(with.settings.allocation, 3);
    Strategy without = with;
    const auto proposed = *rc::gen::element<std::uint64_t>(1, 3, 6, 8);
    const std::uint32_t length = with.settings.time.cycle_windows;
    const Window end = last_window(cycle_of({proposed + 1}, length), length);
    std::array<Energy, 3> approved{};
    for (Window window{1}; window < end; window = window + 1) {
      auto reports = calm_reports(window);
      for (RegionReport& report : reports) {
        report.asked = {*rc::gen::inRange(0, 120)};
        report.held = with.ledger.lease(report.region).free;
      }
      std::vector<OpportunityProposal> proposals;
      if (window.value == proposed)
        for (std::uint32_t id = 0; id < *rc::gen::inRange(0U, 5U); ++id)
          proposals.push_back(
              some_proposal(*rc::gen::inRange(0U, 3U), id + 1, *rc::gen::inRange(1, 150)));
      const StrategyPart funded =
          decide(with, turn_reports(window, reports, proposals), first_epoch);
      const StrategyPart plain = decide(without, turn_reports(window, reports), first_epoch);
      for (std::uint32_t region = 0; region < 3; ++region) {
        const auto& grant = funded.answers[region].allocation;
        const auto& other = plain.answers[region].allocation;
        RC_ASSERT(grant.has_value() == other.has_value());
        if (grant) RC_ASSERT(grant->energy == other->energy);
        for (const Verdict& verdict : funded.answers[region].verdicts) {
          approved.at(region) += verdict.amount;
          RC_ASSERT((verdict.kind == VerdictKind::approved) == (verdict.amount > Energy{0}));
          approvals += verdict.kind == VerdictKind::approved;
        }
        RC_ASSERT(with.ledger.lease({region}).free ==
                  without.ledger.lease({region}).free + approved.at(region));
      }
    }
  }));
  CHECK(approvals > 0);
}

SCENARIO("a realised return changes its region's later rank", "[strategy]") {
  const auto winner_after = [](double realised) {
    Strategy strategy{strategy_settings()};
    (void)decide_calm(strategy, {1});
    auto reports = calm_reports({2});
    reports[0].returns = {{{0}, 1, 0.1, realised}, {{0}, 2, 0.1, realised}};
    (void)decide(strategy, turn_reports({2}, reports), first_epoch);
    OpportunityProposal first = some_proposal(0, 3, 80), second = some_proposal(2, 3, 80);
    second.predicted_gain = 0.09;
    const StrategyPart part =
        decide(strategy, turn_reports({3}, calm_reports({3}), {first, second}), first_epoch);
    CHECK(part.answers[0].verdicts.size() == 1);
    CHECK(part.answers[2].verdicts.size() == 1);
    return part.answers[0].verdicts[0].kind == VerdictKind::approved ? 0 : 2;
  };
  CHECK(winner_after(0.1) == 0);
  CHECK(winner_after(-0.2) == 2);
}

SCENARIO("the emergency pool is drawn window by window", "[strategy]") {
  const auto asks = [](std::int64_t ask) {
    Strategy strategy{strategy_settings()};
    (void)decide_calm(strategy, {1});
    CHECK(strategy.ledger.treasury() == Energy{80});
    CHECK(strategy.ledger.emergency() == Energy{30});
    auto reports = calm_reports({2});
    reports[0].in_crisis = true;
    OpportunityProposal shaken = some_proposal(0, 1, ask);
    shaken.predicted_gain = 0.001;  // so that the other takes the whole treasury first
    const auto part = decide(
        strategy, turn_reports({2}, reports, {shaken, some_proposal(2, 1, 80)}), first_epoch);
    CHECK(part.answers[2].verdicts.at(0).kind == VerdictKind::approved);
    return part.answers[0].verdicts.at(0).kind;
  };
  CHECK(asks(5) == VerdictKind::approved);  // a sixth of the pool, in each of a cycle's six windows
  CHECK(asks(6) == VerdictKind::deferred);
}

SCENARIO("an approval carries conditions that an executor can enforce", "[strategy]") {
  Strategy strategy{strategy_settings()};
  (void)decide_calm(strategy, {1});
  OpportunityProposal proposal = some_proposal(1, 1, 30);
  proposal.mitigations.clip_norm = std::numeric_limits<double>::quiet_NaN();
  const StrategyPart part =
      decide(strategy, turn_reports({2}, calm_reports({2}), {proposal}), first_epoch);
  const Verdict& verdict = part.answers[1].verdicts.at(0);
  REQUIRE(verdict.kind == VerdictKind::approved);
  CHECK(verdict.conditions.alpha_stages == strategy.settings.gates.alpha_stages);
  CHECK(verdict.conditions.clip_norm == strategy.settings.gates.clip_norm);
  CHECK(verdict.until == Window{7});
}

}  // namespace
}  // namespace esper
