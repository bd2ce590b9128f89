#pragma once
// Which proposals to fund: risk-adjusted return per energy, times the proposer's reputation.
#include <string>
#include <vector>

#include "messages/opportunity.hpp"

namespace esper {

/// How far a region's predictions can be trusted: the mean of realised over predicted gain, each
/// within [0, 2], shrunk towards 1 as if three perfect ones had come before.
class Reputation {
 public:
  void book(const RealisedReturn& realised);
  [[nodiscard]] double value() const;

 private:
  friend struct StateFields;  // tests' list of all fields

  double sum_{};
  std::uint64_t count_{};
};

/// A proposal beside what Tamiyo knows of its region.
struct OpportunityCandidate {
  OpportunityProposal proposal;
  bool reported{};  ///< its region reported in this turn
  bool in_crisis{};
  Energy need;  ///< what the lease has to grow by, now that this turn's grants are made
  double reputation{1};
  Window lease_until;  ///< an approval ends with the lease that it joins
};

/// What may be given away in this turn. `emergency` pays for regions in crisis, after the
/// treasury's part is used up.
struct OpportunityFunds {
  Energy treasury, emergency;
};

struct OpportunityTurn {
  Window window;
  Window next_mint;  ///< the turn in which there is new energy
  Posture posture{};
};

/// A verdict and where its energy comes from.
struct FundedVerdict {
  Verdict verdict;
  bool from_emergency{};
};

/// mean^2 / (mean + sd) per whole energy unit of need, times reputation; 0 where the mean is not
/// above 0 or a number is not finite.
[[nodiscard]] double opportunity_score(const OpportunityCandidate& candidate);

/// One verdict per candidate, in the candidates' order. Greedy by score; ties go to the lower
/// region, then the lower id. Approvals never sum to more than the funds.
[[nodiscard]] std::vector<FundedVerdict> judge_opportunities(
    const std::vector<OpportunityCandidate>& candidates, OpportunityFunds funds,
    const OpportunityTurn& turn);

}  // namespace esper
