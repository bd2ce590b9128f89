#pragma once
// Strategic Opportunity Proposals and Tamiyo's verdicts.
#include "messages/budget.hpp"

namespace esper {

struct Evidence {
  std::string name;  ///< what was measured
  double value{};

  static constexpr auto schema =
      record("Evidence", field("name", &Evidence::name), field("value", &Evidence::value));
};

struct OpportunityProposal {
  std::uint64_t id{};  ///< unique per region
  RegionId region;
  Cycle cycle;
  std::string hypothesis;
  std::vector<Evidence> evidence;
  std::string blueprint;  ///< the plan: this blueprint in this slot
  SlotId slot;
  Energy ask;               ///< beyond what the region holds
  double predicted_gain{};  ///< nats per sample on the gate split
  double predicted_gain_sd{};
  std::uint64_t predicted_parameters{};
  Mitigations mitigations;
  Window valid_until;

  static constexpr auto schema = record(
      "OpportunityProposal", field("id", &OpportunityProposal::id),
      field("region", &OpportunityProposal::region), field("cycle", &OpportunityProposal::cycle),
      field("hypothesis", &OpportunityProposal::hypothesis),
      field("evidence", &OpportunityProposal::evidence),
      field("blueprint", &OpportunityProposal::blueprint),
      field("slot", &OpportunityProposal::slot), field("ask", &OpportunityProposal::ask),
      field("predicted_gain", &OpportunityProposal::predicted_gain),
      field("predicted_gain_sd", &OpportunityProposal::predicted_gain_sd),
      field("predicted_parameters", &OpportunityProposal::predicted_parameters),
      field("mitigations", &OpportunityProposal::mitigations),
      field("valid_until", &OpportunityProposal::valid_until));
};

enum class VerdictKind : std::uint8_t { approved, deferred, denied };
ESPER_ENUM_NAMES(VerdictKind, "approved", "deferred", "denied");

struct Verdict {
  RegionId region;
  std::uint64_t proposal{};
  VerdictKind kind{};
  Energy amount;           ///< approved: added to the region's lease
  Mitigations conditions;  ///< approved: must be carried by the seed's commands
  Window until;            ///< approved: expiry; deferred: ask again from here
  std::string reason;
  double score{};  ///< the rank it was judged by

  static constexpr auto schema =
      record("Verdict", field("region", &Verdict::region), field("proposal", &Verdict::proposal),
             field("kind", &Verdict::kind), field("amount", &Verdict::amount),
             field("conditions", &Verdict::conditions), field("until", &Verdict::until),
             field("reason", &Verdict::reason), field("score", &Verdict::score));
};

/// What an approved proposal brought in the end.
struct RealisedReturn {
  RegionId region;
  std::uint64_t proposal{};
  double predicted_gain{}, realised_gain{};

  static constexpr auto schema = record("RealisedReturn", field("region", &RealisedReturn::region),
                                        field("proposal", &RealisedReturn::proposal),
                                        field("predicted_gain", &RealisedReturn::predicted_gain),
                                        field("realised_gain", &RealisedReturn::realised_gain));
};

}  // namespace esper
