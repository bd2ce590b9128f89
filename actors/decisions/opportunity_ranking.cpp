#include "actors/decisions/opportunity_ranking.hpp"

#include "actors/decisions/number.hpp"
#include "actors/decisions/planted.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace esper {
namespace {

/// Why it cannot be funded whatever the funds; "": it can.
std::string flaw(const OpportunityCandidate& candidate, double score, Window now) {
  const OpportunityProposal& proposal = candidate.proposal;
  if (!candidate.reported) return "its region did not report in this turn";
  if (proposal.valid_until < now) return "it expired";
  if (!finite(proposal.predicted_gain) || !finite(proposal.predicted_gain_sd))
    return "its prediction is not finite";
  if (!(proposal.predicted_gain > 0)) return "it predicts no gain";
  if (proposal.ask.thousandths <= 0) return "it asks for nothing";
  if (candidate.need.thousandths <= 0) return "the region's new lease covers it";
  if (!(score > 0)) return "its risk-adjusted return is not above 0";
  return {};
}

void answer(Verdict& verdict, VerdictKind kind, std::string reason) {
  verdict.kind = kind;
  verdict.reason = std::move(reason);
}

void postpone(Verdict& verdict, const OpportunityProposal& proposal, Window until,
              const std::string& reason) {
  if (proposal.valid_until < until)
    return answer(verdict, VerdictKind::denied, reason + ", and it expires before the next mint");
  answer(verdict, VerdictKind::deferred, reason);
  verdict.until = until;
}

FundedVerdict judge(const OpportunityCandidate& candidate, OpportunityFunds& funds,
                    const OpportunityTurn& turn) {
  const OpportunityProposal& proposal = candidate.proposal;
  FundedVerdict judged;
  Verdict& verdict = judged.verdict;
  verdict.region = proposal.region;
  verdict.proposal = proposal.id;
  verdict.score = opportunity_score(candidate);
  if (std::string reason = flaw(candidate, verdict.score, turn.window); !reason.empty()) {
    answer(verdict, VerdictKind::denied, std::move(reason));
    return judged;
  }
  if (turn.posture == Posture::hold) {
    postpone(verdict, proposal, turn.next_mint, "nothing is funded while the posture is hold");
    return judged;
  }
  judged.from_emergency = candidate.need > funds.treasury && candidate.in_crisis;
  Energy& fund = judged.from_emergency ? funds.emergency : funds.treasury;
  if (candidate.need > fund) {
    judged.from_emergency = false;
    postpone(verdict, proposal, turn.next_mint, "too little energy is left for its rank");
    return judged;
  }
  fund -= candidate.need;
  verdict.amount = candidate.need;
  verdict.conditions = proposal.mitigations;
  verdict.until = candidate.lease_until;
  answer(verdict, VerdictKind::approved,
         judged.from_emergency ? "funded by the emergency pool" : "funded by its rank");
  return judged;
}

}  // namespace

void Reputation::book(const RealisedReturn& realised) {
  if (!(realised.predicted_gain > 0) || !finite(realised.predicted_gain) ||
      !finite(realised.realised_gain))
    return;
  sum_ += clip(realised.realised_gain / realised.predicted_gain, 0, 2);
  ++count_;
}

double Reputation::value() const {
  constexpr double perfect_before = 3;
  return (perfect_before + sum_) / (perfect_before + static_cast<double>(count_));
}

double opportunity_score(const OpportunityCandidate& candidate) {
  const double mean = candidate.proposal.predicted_gain;
  const double deviation =
      planted(Planted::proposal_rank) ? 0 : clip(candidate.proposal.predicted_gain_sd, 0, 1e300);
  if (!(mean > 0) || !finite(mean) || candidate.need.thousandths <= 0) return 0;
  const double units = static_cast<double>(candidate.need.thousandths) / 1000;
  const double score = mean * (mean / (mean + deviation)) / units * candidate.reputation;
  return finite(score) ? score : 0;
}

std::vector<FundedVerdict> judge_opportunities(const std::vector<OpportunityCandidate>& candidates,
                                               OpportunityFunds funds,
                                               const OpportunityTurn& turn) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    const auto key = [&](std::size_t place) {
      const OpportunityCandidate& candidate = candidates[place];
      return std::tuple{-opportunity_score(candidate), candidate.proposal.region,
                        candidate.proposal.id};
    };
    return key(left) < key(right);
  });
  std::vector<FundedVerdict> judged(candidates.size());
  for (const std::size_t place : order) judged[place] = judge(candidates[place], funds, turn);
  return judged;
}

}  // namespace esper
