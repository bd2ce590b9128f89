#include "runtime/trace_text.hpp"

#include "runtime/journal_kinds.hpp"
#include "runtime/report_numbers.hpp"

namespace esper {
namespace {

std::string thousandths(Energy energy) {
  return std::to_string(energy.thousandths) + " thousandths";
}

std::string slot_name(const HostDescription& host, SlotId slot) {
  return slot.value < host.slots.size() ? host.slots[slot.value].name
                                        : "slot " + std::to_string(slot.value);
}

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

std::string movements_of(const RegionReport& report) {
  std::string text;
  for (const Movement& movement : report.movements)
    text += "; " + std::string{name_of(movement.kind)} + " of " + thousandths(movement.energy) +
            " in reservation " + std::to_string(movement.reservation);
  return text;
}

std::string said(const WindowSummary& told, const HostDescription&) {
  return "closed at step " + std::to_string(told.step.value);
}

std::string said(const RegionTelemetry& told, const HostDescription&) {
  return "loss " + significant(told.loss_mean) + " nats, sigma " + significant(told.loss_sigma) +
         ", jitter " + significant(told.jitter) + ", drift " + significant(told.drift) +
         ", diversity " + significant(told.diversity);
}

std::string said(const RegionReport& told, const HostDescription&) {
  return "volatility " + significant(told.volatility) + ", holds " + thousandths(told.held) +
         ", asks for " + thousandths(told.asked) + movements_of(told);
}

std::string said(const GateVerdict& told, const HostDescription& host) {
  return told.gate + (told.passed ? " passes " : " stops ") + told.blueprint + " in " +
         slot_name(host, told.slot) + ", measured " + significant(told.measured) + " against " +
         significant(told.threshold) + because(told.reason);
}

std::string said(const Price& told, const HostDescription&) {
  return "risk " + significant(told.risk) + " (volatility " + significant(told.volatility) +
         ") times disruption " + significant(told.disruption) + " (downstream " +
         significant(told.downstream) + ", relative norm " + significant(told.relative_norm) +
         ", parameters " + significant(told.parameters) + ") is " + thousandths(told.energy);
}

std::string said(const AdaptationCommand& told, const HostDescription& host) {
  std::string text{name_of(told.kind)};
  if (told.kind != CommandKind::escape)
    text += " seed " + std::to_string(told.seed.value) + " in " + slot_name(host, told.slot);
  if (!told.blueprint.empty()) text += " as " + told.blueprint;
  if (told.reservation)
    text += ", paid by reservation " + std::to_string(*told.reservation) + " with at most " +
            thousandths(told.price);
  return text + ", authority until window " + std::to_string(told.authority_until.value);
}

std::string said(const Outcome& told, const HostDescription&) {
  if (told.refusal != CommandRefusal::none)
    return "refused, " + std::string{name_of(told.refusal)} + because(told.detail);
  return (told.reflex ? "reflex (" + told.cause + ")" : std::string{"done"}) + ": " +
         std::string{name_of(told.stage)} + " at alpha " + significant(told.alpha) + ", step " +
         std::to_string(told.step.value);
}

std::string said(const CheckpointReady& told, const HostDescription&) {
  return "checkpoint " + std::to_string(told.checkpoint) + ", gate split's loss " +
         significant(told.gate_loss) + " nats, accuracy " + percent(told.gate_accuracy);
}

std::string said(const ImportanceReport& told, const HostDescription&) {
  if (!told.problem.empty()) return "nothing measured: " + told.problem;
  std::string text = std::to_string(told.groups.size()) + " groups measured on " +
                     std::to_string(told.samples) + " samples of checkpoint " +
                     std::to_string(told.checkpoint);
  for (const LayerImportance& one : told.layers)
    text += "; " + one.layer + ' ' + significant(one.importance) + " of the mean, alike to " +
            significant(one.similarity);
  return text;
}

std::string cuts_of(const std::vector<GroupCut>& cuts, const std::vector<std::string>& layers) {
  std::string text;
  for (const GroupCut& cut : cuts)
    text += (text.empty() ? "" : ", ") + cut.group + " keeps " + std::to_string(cut.kept.size());
  for (const std::string& layer : layers) text += (text.empty() ? "" : ", ") + layer + " leaves";
  return text;
}

std::string said(const PruningPart& told, const HostDescription&) {
  if (!told.plan) return "no plan" + because(told.reason);
  return "plan " + std::to_string(told.plan->id) + ": " +
         cuts_of(told.plan->cuts, told.plan->layers) + "; importance lost " +
         percent(told.plan->importance_lost) + ", " + std::to_string(told.plan->operations_saved) +
         " operations saved, for " + thousandths(told.plan->price.energy);
}

std::string said(const ScaffoldRequest& told, const HostDescription& host) {
  return "asks for " + told.blueprint + " in " + slot_name(host, told.slot) + " at " +
         thousandths(told.ask) + because(told.reason);
}

std::string said(const OpportunityProposal& told, const HostDescription& host) {
  return "proposal " + std::to_string(told.id) + ": " + told.blueprint + " in " +
         slot_name(host, told.slot) + " for " + thousandths(told.ask) + ", predicts " +
         significant(told.predicted_gain) + " nats" + because(told.hypothesis);
}

std::string granted_in(const Answers& answers, const HostDescription& host) {
  std::string text;
  const std::string to =
      answers.region.value < host.regions.size() ? host.regions[answers.region.value].name : "";
  for (const Verdict& verdict : answers.verdicts)
    text += "proposal " + std::to_string(verdict.proposal) + " of " + to + ' ' +
            std::string{name_of(verdict.kind)} + " with " + thousandths(verdict.amount) +
            because(verdict.reason) + ", score " + significant(verdict.score) + "; ";
  for (const ScaffoldVerdict& verdict : answers.scaffolds)
    text += verdict.blueprint + " for " + to + ": " + std::string{name_of(verdict.answer)} +
            " with " + thousandths(verdict.amount) + "; ";
  return text;
}

std::string said(const StrategyPart& told, const HostDescription& host) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (told.posture)
    add("posture " + std::string{name_of(told.posture->to)} + because(told.posture->reason));
  if (told.mint) add("mints " + thousandths(told.mint->minted));
  if (told.plan)
    add("plan " + std::to_string(told.plan->plan) +
        (told.plan->refusal == SurgeryRefusal::none
             ? " approved"
             : " refused, " + std::string{name_of(told.plan->refusal)}) +
        because(told.plan->detail));
  if (told.surgery)
    add("ordered for the boundary of window " + std::to_string(told.surgery->boundary.value));
  for (const Answers& answers : told.answers)
    if (auto granted = granted_in(answers, host); !granted.empty())
      add(granted.substr(0, granted.size() - 2));
  return text.empty() ? "answers every region" : text;
}

std::string said(const Override& told, const HostDescription& host) {
  std::string text = told.who + " overrides: " + std::string{name_of(told.kind)};
  if (told.kind == OverrideKind::posture)
    text += ' ' + std::string{name_of(told.posture)};
  else if (told.region.value < host.regions.size())
    text += ' ' + host.regions[told.region.value].name;
  if (told.kind == OverrideKind::grant) text += ", " + thousandths(told.energy) + " a cycle";
  if (told.kind != OverrideKind::escape)
    text += ", until window " + std::to_string(told.until.value);
  return text + because(told.why);
}

std::string said(const InjectedFault& told, const HostDescription&) {
  std::string text = told.who + " injected: " + std::string{name_of(told.fault.kind)};
  if (!told.fault.target.empty()) text += ' ' + told.fault.target;
  if (told.fault.duration_ms > 0) text += ", for " + std::to_string(told.fault.duration_ms) + " ms";
  return text + because(told.rehearsal);
}

std::string said(const Restart& told, const HostDescription&) {
  return std::string{name_of(told.role)} + " came back as epoch " +
         std::to_string(told.epoch.value) + because(told.cause);
}

std::string said(const BreakerChange& told, const HostDescription&) {
  const auto of = told.region.empty() ? "" : " of region " + told.region;
  return "the breaker " + told.name + of + " is " + std::string{name_of(told.state)} +
         because(told.cause);
}

std::string said(const SurgeryOutcome& told, const HostDescription&) {
  if (told.refusal != SurgeryRefusal::none)
    return "undone, " + std::string{name_of(told.refusal)} + because(told.detail);
  return "kept: " + cuts_of(told.cuts, told.layers) + "; parameters " +
         std::to_string(told.parameters_before) + " to " + std::to_string(told.parameters_after) +
         ", gate split's loss " + significant(told.loss_before) + " to " +
         significant(told.loss_after) + " nats";
}

}  // namespace

std::string sentence_for(const JournalEntry& entry, const HostDescription& host) {
  std::string text;
  const auto visit = [&](const auto& message) { text = said(message, host); };
  visit_payload<WindowSummary>(entry, visit);
  visit_payload<RegionTelemetry>(entry, visit);
  visit_payload<RegionReport>(entry, visit);
  visit_payload<GateVerdict>(entry, visit);
  visit_payload<Price>(entry, visit);
  visit_payload<AdaptationCommand>(entry, visit);
  visit_payload<Outcome>(entry, visit);
  visit_payload<CheckpointReady>(entry, visit);
  visit_payload<ImportanceReport>(entry, visit);
  visit_payload<PruningPart>(entry, visit);
  visit_payload<ScaffoldRequest>(entry, visit);
  visit_payload<OpportunityProposal>(entry, visit);
  visit_payload<StrategyPart>(entry, visit);
  visit_payload<SurgeryOutcome>(entry, visit);
  visit_payload<Override>(entry, visit);
  visit_payload<InjectedFault>(entry, visit);
  visit_payload<Restart>(entry, visit);
  visit_payload<BreakerChange>(entry, visit);
  return text;
}

}  // namespace esper
