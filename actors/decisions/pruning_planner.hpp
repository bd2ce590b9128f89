#pragma once
// Emrakul's whole mind: which channels to cut, within the allowance and outside zones.
#include <optional>
#include <string>

#include "messages/configuration.hpp"
#include "messages/pruning.hpp"

namespace esper {

/// One planning turn. `importance`: the newest that Elesh measured; `problem`: why it is not the
/// one of this turn's checkpoint, where it is not. Within zones its numbers are marked
/// diagnostics-only in the part and reach no plan.
[[nodiscard]] PruningPart plan_pruning(const PlanningTurn& turn,
                                       const std::optional<ImportanceReport>& importance,
                                       const std::string& problem, const RunConfig& config);

}  // namespace esper
