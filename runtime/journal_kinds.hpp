#pragma once
// Every kind of entry that a journal holds, by name, and how people read a payload.
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/audit.hpp"
#include "messages/blueprint.hpp"
#include "messages/breaker_change.hpp"
#include "messages/host.hpp"
#include "messages/json.hpp"

namespace esper {

/// The opening's logical config; its text is messages/logical_config.hpp's.
inline constexpr std::string_view config_kind = "Config";

/// The other kinds, whose payload is the canonical JSON of one message.
using JournalKinds =
    std::tuple<HostDescription, Catalogue, WindowSummary, RegionTelemetry, TurnApplied, Outcome,
               SeedStatus, RegionReport, GateVerdict, Price, AdaptationCommand, OpportunityProposal,
               Escalation, StrategyPart, Absence, Restart, BreakerChange, CheckpointReady,
               SurgeryOutcome, ScaffoldRequest, ImportanceReport, PruningPart, Override,
               InjectedFault>;

/// Calls `visit(message)` when the entry holds a T.
template <Described T, typename Visitor>
void visit_payload(const JournalEntry& entry, Visitor&& visit) {
  if (entry.kind == T::schema.name) visit(parsed<T>(entry.payload));
}

/// All names, `config_kind` first.
[[nodiscard]] std::vector<std::string> journal_kind_names();

/// The text as JSON whose floats are numbers again; null where it is no JSON, or nests past
/// json_depth_max.
[[nodiscard]] nlohmann::json readable_payload(std::string_view text);

}  // namespace esper
