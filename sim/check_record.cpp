#include "sim/check_record.hpp"

namespace esper::sim {

namespace {

std::string name_of(const CommandId& id) {
  return "command " + std::to_string(id.region.value) + "." + std::to_string(id.epoch.value) + "." +
         std::to_string(id.sequence);
}

}  // namespace

void RecordCheck::carried_out(const Outcome& outcome, Window boundary) {
  const auto& id = outcome.command;
  const auto wrong = [&](const char* invariant, const std::string& what) {
    findings_.report(invariant,
                     "window " + std::to_string(boundary.value) + ": " + name_of(id) + what);
  };
  const auto known = authority_.find(id);
  if (known == authority_.end())
    wrong("AUDIT-1", " was carried out and had not been journalled");
  else if (boundary > known->second)
    wrong("LEDGER-2", " was carried out past its lease");
  if (!done_.insert(id).second) wrong("LEDGER-2", " was carried out twice");
  auto& newest = newest_[id.region];
  if (id.epoch < newest)
    wrong("FENCE-1", " changed something after epoch " + std::to_string(newest.value) + " had");
  newest = std::max(newest, id.epoch);
}

void RecordCheck::take(const SeenTurn& turn) {
  if (turn.window <= newest_turn_)
    findings_.report("AUDIT-1", "the turn of window " + std::to_string(turn.window.value) +
                                    " was journalled again");
  newest_turn_ = turn.window;
  for (const auto& outcome : turn.outcomes) {
    if (outcome.reflex && outcome.alpha != 0)
      findings_.report("ESCAPE-1", "window " + std::to_string(turn.window.value) + ": seed " +
                                       std::to_string(outcome.seed.value) + " stands at alpha " +
                                       std::to_string(outcome.alpha) + " after a reflex");
    // A roll-back also tells of seeds that it touched: their outcomes are reflexes.
    if (!outcome.reflex && outcome.refusal == CommandRefusal::none)
      carried_out(outcome, turn.window);
  }
  for (const auto& surgery : turn.surgeries)
    if (surgery.refusal == SurgeryRefusal::none && !plans_done_.insert(surgery.plan).second)
      findings_.report("LEDGER-2",
                       "plan " + std::to_string(surgery.plan) + " was carried out twice");
  for (const auto& command : turn.commands) authority_[command.id] = command.authority_until;
}

}  // namespace esper::sim
