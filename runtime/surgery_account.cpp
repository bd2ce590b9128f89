#include "runtime/surgery_account.hpp"

#include <algorithm>

#include "runtime/journal_kinds.hpp"

namespace esper {

void SurgeryAccountant::take(const JournalEntry& entry) {
  window_ = entry.window;
  visit_payload<HostDescription>(entry, [&](const auto& host) {
    for (const CoupledGroup& group : host.coupled_groups) widths_[group.name] = group.channels;
  });
  visit_payload<CheckpointReady>(entry, [&](const auto& ready) {
    checkpoints_.push_back(
        {ready.checkpoint, ready.window, ready.gate_loss, ready.gate_accuracy, 0, ""});
  });
  // The journal keeps Elesh's numbers in an entry of their own, before Emrakul's.
  visit_payload<ImportanceReport>(entry, [&](const auto& report) { measured(report); });
  visit_payload<PruningPart>(entry, [&](const auto& part) { planned(part); });
  visit_payload<StrategyPart>(entry, [&](const auto& part) { strategy(part); });
  visit_payload<SurgeryOutcome>(entry, [&](const auto& outcome) { surgery(outcome); });
}

CheckpointAccount* SurgeryAccountant::find(std::uint64_t checkpoint) {
  const auto found = std::find_if(
      checkpoints_.begin(), checkpoints_.end(),
      [&](const CheckpointAccount& account) { return account.checkpoint == checkpoint; });
  return found == checkpoints_.end() ? nullptr : &*found;
}

/// The newest checkpoint is the one that a planning turn plans from.
void SurgeryAccountant::planned(const PruningPart& part) {
  if (!checkpoints_.empty() && !part.plan) checkpoints_.back().plan = "none: " + part.reason;
}

void SurgeryAccountant::measured(const ImportanceReport& report) {
  // Where Elesh has nothing newer the same numbers are told again.
  if (!layers_.empty() && layers_.back().checkpoint >= report.checkpoint) return;
  for (const LayerImportance& one : report.layers)
    layers_.push_back(
        {report.checkpoint, one.layer, one.importance, one.similarity, one.diagnostics_only});
}

void SurgeryAccountant::strategy(const StrategyPart& part) {
  if (CheckpointAccount* ready = checkpoints_.empty() ? nullptr : &checkpoints_.back();
      ready != nullptr && ready->window == part.window)
    ready->embargoed_regions = part.zones.embargoed.size();
  if (part.plan)
    if (CheckpointAccount* ready = find(part.plan->plan)) {
      const bool approved = part.plan->refusal == SurgeryRefusal::none;
      ready->plan = approved ? "approved" : "refused: " + std::string{name_of(part.plan->refusal)};
    }
  if (part.surgery) ordered_[part.surgery->plan.id] = part.surgery->plan;
}

void SurgeryAccountant::surgery(const SurgeryOutcome& outcome) {
  SurgeryAccount account;
  account.plan = outcome.plan;
  account.window = window_;
  account.result = outcome.refusal == SurgeryRefusal::none
                       ? "kept"
                       : std::string{name_of(outcome.refusal)} + ": " + outcome.detail;
  if (const auto order = ordered_.find(outcome.plan); order != ordered_.end()) {
    account.importance_lost = order->second.importance_lost;
    account.price = order->second.price.energy;
    for (const GroupCut& cut : order->second.cuts)
      account.cuts += (account.cuts.empty() ? "" : ", ") + cut.group + " " +
                      std::to_string(widths_[cut.group]) + " -> " + std::to_string(cut.kept.size());
    for (const std::string& layer : order->second.layers)
      account.cuts += (account.cuts.empty() ? "" : ", ") + layer + " -> none";
  }
  for (const GroupCut& cut : outcome.cuts) widths_[cut.group] = cut.kept.size();
  account.loss_before = outcome.loss_before;
  account.loss_after = outcome.loss_after;
  account.accuracy_before = outcome.accuracy_before;
  account.accuracy_after = outcome.accuracy_after;
  account.parameters_before = outcome.parameters_before;
  account.parameters_after = outcome.parameters_after;
  account.operations_before = outcome.operations_before;
  account.operations_after = outcome.operations_after;
  surgeries_.push_back(std::move(account));
}

}  // namespace esper
