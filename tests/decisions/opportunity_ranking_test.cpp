#include "actors/decisions/opportunity_ranking.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <limits>

namespace esper {
namespace {

OpportunityCandidate some(std::uint32_t region, std::int64_t need, double gain) {
  OpportunityCandidate candidate;
  candidate.proposal.id = 1;
  candidate.proposal.region = {region};
  candidate.proposal.ask = candidate.need = {need};
  candidate.proposal.predicted_gain = gain;
  candidate.proposal.predicted_gain_sd = 0.01;
  candidate.proposal.mitigations.clip_norm = 0.5;
  candidate.proposal.valid_until = {10};
  candidate.reported = true;
  candidate.lease_until = {7};
  return candidate;
}

constexpr OpportunityTurn turn{{4}, {6}, Posture::explore};

Verdict sole(const OpportunityCandidate& candidate, Energy treasury,
             const OpportunityTurn& at = turn) {
  return judge_opportunities({candidate}, {treasury, {}}, at).front().verdict;
}

SCENARIO("the best return for its energy is funded first", "[opportunity_ranking]") {
  const auto judged = judge_opportunities({some(0, 50, 0.02), some(1, 50, 0.05), some(2, 20, 0.03)},
                                          {{80}, {}}, turn);
  REQUIRE(judged.size() == 3);
  CHECK(judged[0].verdict.kind == VerdictKind::deferred);
  CHECK(judged[0].verdict.until == Window{6});
  CHECK(judged[1].verdict.kind == VerdictKind::approved);
  CHECK(judged[1].verdict.amount == Energy{50});
  CHECK(judged[1].verdict.until == Window{7});
  CHECK(judged[1].verdict.conditions.clip_norm == 0.5);
  CHECK(judged[2].verdict.kind == VerdictKind::approved);
  for (const FundedVerdict& one : judged) CHECK_FALSE(one.verdict.reason.empty());
}

SCENARIO("a doubtful gain ranks lower", "[opportunity_ranking]") {
  OpportunityCandidate doubtful = some(0, 50, 0.05);
  doubtful.proposal.predicted_gain_sd = 0.2;
  CHECK(opportunity_score(doubtful) < opportunity_score(some(0, 50, 0.05)));
  CHECK(opportunity_score(some(0, 60, 0.05)) < opportunity_score(some(0, 50, 0.05)));
}

SCENARIO("what cannot be funded is denied with its reason", "[opportunity_ranking]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE(sole(some(0, 50, 0.05), {50}).kind == VerdictKind::approved);
  std::vector<OpportunityCandidate> hopeless(7, some(0, 50, 0.05));
  hopeless[0].proposal.valid_until = {3};
  hopeless[1].proposal.predicted_gain = 0;
  hopeless[2].proposal.predicted_gain = nan;
  hopeless[3].proposal.predicted_gain_sd = nan;
  hopeless[4].proposal.ask = {0};
  hopeless[5].need = {0};
  hopeless[6].reported = false;
  std::vector<std::string> reasons;
  for (const OpportunityCandidate& candidate : hopeless) {
    const Verdict verdict = sole(candidate, {1'000});
    CHECK(verdict.kind == VerdictKind::denied);
    CHECK(verdict.amount == Energy{0});
    CHECK_FALSE(verdict.reason.empty());
    reasons.push_back(verdict.reason);
  }
  CHECK(reasons[0] == "it expired");
  CHECK(reasons[1] == "it predicts no gain");
  CHECK(reasons[5] == "the region's new lease covers it");
}

SCENARIO("what must wait is deferred to the next mint, or denied if it cannot",
         "[opportunity_ranking]") {
  OpportunityCandidate candidate = some(0, 50, 0.05);
  CHECK(sole(candidate, {49}).kind == VerdictKind::deferred);
  const OpportunityTurn held{{4}, {6}, Posture::hold};
  CHECK(sole(candidate, {50}, held).kind == VerdictKind::deferred);
  candidate.proposal.valid_until = {5};
  CHECK(sole(candidate, {49}).kind == VerdictKind::denied);
  CHECK(sole(candidate, {50}, held).kind == VerdictKind::denied);
}

SCENARIO("the emergency pool pays for regions in crisis only", "[opportunity_ranking]") {
  OpportunityCandidate calm = some(0, 50, 0.05), shaken = some(1, 50, 0.01);
  shaken.in_crisis = true;
  const auto judged =
      judge_opportunities({calm, shaken}, {{40}, {60}}, {{4}, {6}, Posture::crisis});
  CHECK(judged[0].verdict.kind == VerdictKind::deferred);
  CHECK(judged[1].verdict.kind == VerdictKind::approved);
  CHECK(judged[1].from_emergency);
}

SCENARIO("a reputation follows realised over predicted gain", "[opportunity_ranking]") {
  Reputation reputation;
  CHECK(reputation.value() == 1);
  GIVEN("a region that promises too much") {
    for (int i = 0; i < 3; ++i) reputation.book({{0}, 1, 0.1, -0.5});
    CHECK(reputation.value() == 0.5);
    THEN("its proposals rank lower") {
      OpportunityCandidate doubted = some(0, 50, 0.05);
      doubted.reputation = reputation.value();
      const auto judged = judge_opportunities({doubted, some(1, 50, 0.04)}, {{50}, {}}, turn);
      CHECK(judged[0].verdict.kind == VerdictKind::deferred);
      CHECK(judged[1].verdict.kind == VerdictKind::approved);
    }
  }
  GIVEN("one that promises too little") {
    for (int i = 0; i < 3; ++i) reputation.book({{0}, 1, 0.1, 9});
    CHECK(reputation.value() == 1.5);
  }
  GIVEN("returns that say nothing") {
    reputation.book({{0}, 1, 0, 0.1});
    reputation.book({{0}, 1, 0.1, std::numeric_limits<double>::infinity()});
    CHECK(reputation.value() == 1);
  }
}

SCENARIO("every proposal gets one verdict and approvals stay within the funds",
         "[opportunity_ranking]") {
  CHECK(rc::check("any candidates", [] {
    std::vector<OpportunityCandidate> candidates;
    const auto count = *rc::gen::inRange<std::uint32_t>(0, 12);
    for (std::uint32_t i = 0; i < count; ++i) {
      OpportunityCandidate candidate = some(*rc::gen::inRange(0U, 4U), *rc::gen::inRange(-5, 100),
                                            *rc::gen::arbitrary<double>());
      candidate.proposal.id = i;
      candidate.proposal.predicted_gain_sd = *rc::gen::arbitrary<double>();
      candidate.proposal.valid_until = {*rc::gen::inRange<std::uint64_t>(1, 12)};
      candidate.in_crisis = *rc::gen::arbitrary<bool>();
      candidates.push_back(candidate);
    }
    const OpportunityFunds funds{{*rc::gen::inRange(0, 200)}, {*rc::gen::inRange(0, 50)}};
    const auto judged = judge_opportunities(candidates, funds, turn);
    RC_ASSERT(judged.size() == candidates.size());
    Energy treasury, emergency;
    for (std::size_t i = 0; i < judged.size(); ++i) {
      const Verdict& verdict = judged[i].verdict;
      RC_ASSERT(verdict.proposal == candidates[i].proposal.id);
      RC_ASSERT(verdict.region == candidates[i].proposal.region);
      RC_ASSERT(!verdict.reason.empty());
      RC_ASSERT((verdict.kind == VerdictKind::approved) == (verdict.amount > Energy{0}));
      RC_ASSERT(verdict.kind != VerdictKind::deferred || verdict.until > turn.window);
      (judged[i].from_emergency ? emergency : treasury) += verdict.amount;
    }
    RC_ASSERT(treasury <= funds.treasury);
    RC_ASSERT(emergency <= funds.emergency);
  }));
}

}  // namespace
}  // namespace esper
