#include "sim/seen_turn.hpp"

#include "messages/canonical.hpp"

namespace esper::sim {

namespace {

template <typename T>
bool take(const JournalEntry& entry, std::vector<T>& list) {
  if (entry.kind != T::schema.name) return false;
  list.push_back(parsed_canonical<T>(entry.payload));
  return true;
}

}  // namespace

const RegionReport* SeenTurn::report_of(RegionId region) const {
  for (const auto& report : reports)
    if (report.region == region) return &report;
  return nullptr;
}

SeenTurn seen_turn(const std::vector<JournalEntry>& entries) {
  SeenTurn turn;
  if (!entries.empty()) turn.window = entries.front().window;
  for (const auto& entry : entries) {
    if (take(entry, turn.reports) || take(entry, turn.commands) || take(entry, turn.gates) ||
        take(entry, turn.proposals) || take(entry, turn.requests) ||
        take(entry, turn.escalations) || take(entry, turn.outcomes) ||
        take(entry, turn.surgeries) || take(entry, turn.overrides) || take(entry, turn.absences) ||
        take(entry, turn.restarts) || take(entry, turn.applied))
      continue;
    if (entry.kind == StrategyPart::schema.name)
      turn.strategy = parsed_canonical<StrategyPart>(entry.payload);
    if (entry.kind == CheckpointReady::schema.name) turn.checkpoint = true;
  }
  return turn;
}

}  // namespace esper::sim
