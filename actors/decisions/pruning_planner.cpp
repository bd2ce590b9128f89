#include "actors/decisions/pruning_planner.hpp"

namespace esper {

PruningPart plan_pruning(const PlanningTurn& turn,
                         const std::optional<ImportanceReport>& importance,
                         const std::string& problem, const RunConfig&) {
  PruningPart part;
  part.window = turn.window;
  part.importance = importance;
  part.reason = problem;
  return part;
}

}  // namespace esper
