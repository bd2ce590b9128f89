#pragma once
// A transaction of the journal as checkers read it: from its entries alone.
#include <optional>
#include <vector>

#include "messages/audit.hpp"
#include "messages/turn.hpp"

namespace esper::sim {

struct SeenTurn {
  Window window;
  std::vector<RegionReport> reports;
  std::vector<AdaptationCommand> commands;
  std::vector<GateVerdict> gates;
  std::vector<OpportunityProposal> proposals;
  std::vector<ScaffoldRequest> requests;
  std::vector<Escalation> escalations;
  std::vector<Outcome> outcomes;
  std::vector<SurgeryOutcome> surgeries;
  std::vector<Override> overrides;
  std::vector<Absence> absences;
  std::vector<Restart> restarts;
  std::vector<TurnApplied> applied;
  std::optional<StrategyPart> strategy;
  bool checkpoint{};

  [[nodiscard]] const RegionReport* report_of(RegionId region) const;
};

/// Errors: throws MalformedJson or nlohmann's errors for a payload that is not what its kind says.
[[nodiscard]] SeenTurn seen_turn(const std::vector<JournalEntry>& entries);

}  // namespace esper::sim
