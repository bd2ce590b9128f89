// The tables of trouble, scaffolds, checkpoints, surgery and the economy that binds them.
#include <ostream>

#include "runtime/report.hpp"
#include "runtime/report_numbers.hpp"

namespace esper {
namespace {

std::string window_text(Window window) {
  return window.value > 0 ? std::to_string(window.value) : "-";
}

std::string energy_text(Energy energy) { return std::to_string(energy.thousandths); }

void print_troubles(std::ostream& out, const RunAccount& account) {
  if (account.troubles.empty()) return;
  out << "\nRegions in crisis\n";
  Table table{{"region", "from window", "recovered in", "windows"}};
  for (const auto& trouble : account.troubles)
    table.push_back({trouble.region, window_text(trouble.began), window_text(trouble.recovered),
                     trouble.recovered.value > 0
                         ? std::to_string(trouble.recovered.value - trouble.began.value)
                         : "not recovered"});
  print_table(out, table);
}

void print_scaffolds(std::ostream& out, const RunAccount& account) {
  if (account.scaffolds.empty()) return;
  out << "\nScaffolds\n";
  Table table{{"region", "blueprint", "asked", "answer", "price", "drawn", "back", "grafted",
               "success", "exit", "contribution", "sunset", "output change", "retired",
               "zone lifted"}};
  for (const auto& one : account.scaffolds)
    table.push_back({one.region, one.blueprint, window_text(one.requested), one.answer,
                     energy_text(one.ask), energy_text(one.drawn), energy_text(one.given_back),
                     window_text(one.grafted), window_text(one.succeeded),
                     one.exit.empty() ? "-" : one.exit, significant(one.contribution),
                     window_text(one.sunset), significant(one.output_change),
                     window_text(one.retired), window_text(one.zone_lifted)});
  print_table(out, table);
}

void print_checkpoints(std::ostream& out, const RunAccount& account) {
  if (account.checkpoints.empty()) return;
  out << "\nCheckpoints\n";
  Table table{{"checkpoint", "window", "gate loss", "gate accuracy", "regions in zones", "plan"}};
  for (const auto& one : account.checkpoints)
    table.push_back({std::to_string(one.checkpoint), window_text(one.window),
                     fixed(one.gate_loss, 4), percent(one.gate_accuracy),
                     std::to_string(one.embargoed_regions), one.plan.empty() ? "-" : one.plan});
  print_table(out, table);
}

/// As the newest checkpoint has them.
void print_layers(std::ostream& out, const RunAccount& account) {
  if (account.layers.empty()) return;
  out << "\nWhole layers\n";
  Table table{{"checkpoint", "layer", "importance over the mean", "input and output alike"}};
  for (const auto& one : account.layers)
    if (one.checkpoint == account.layers.back().checkpoint)
      table.push_back({std::to_string(one.checkpoint), one.layer, fixed(one.importance, 3),
                       fixed(one.similarity, 4)});
  print_table(out, table);
}

void print_surgeries(std::ostream& out, const RunAccount& account) {
  if (account.surgeries.empty()) return;
  out << "\nSurgery\n";
  Table table{{"window", "result", "cut", "importance", "price", "loss", "after", "accuracy",
               "after", "parameters", "after", "operations", "after"}};
  for (const auto& one : account.surgeries)
    table.push_back({window_text(one.window), one.result, one.cuts, percent(one.importance_lost),
                     energy_text(one.price), fixed(one.loss_before, 4), fixed(one.loss_after, 4),
                     percent(one.accuracy_before), percent(one.accuracy_after),
                     std::to_string(one.parameters_before), std::to_string(one.parameters_after),
                     std::to_string(one.operations_before), std::to_string(one.operations_after)});
  print_table(out, table);
}

}  // namespace

void print_economy(std::ostream& out, const RunAccount& account) {
  Table table{
      {"cycle", "posture", "minted", "spent", "forecast", "pruning allowance", "compacted"}};
  for (const auto& cycle : account.cycles) {
    Energy spent;
    for (const auto& region : cycle.regions) spent += region.spent;
    table.push_back({std::to_string(cycle.cycle.value), cycle.posture.empty() ? "-" : cycle.posture,
                     energy_text(cycle.minted), energy_text(spent), energy_text(cycle.forecast),
                     energy_text(cycle.allowance), energy_text(cycle.compacted)});
  }
  out << "\nEconomy (thousandths)\n";
  print_table(out, table);
}

void print_compaction(std::ostream& out, const RunReport& report) {
  if (!report.uncut || report.arms.empty()) return;
  out << "\nCompaction\n";
  Table table{
      {"grown model", "parameters", "operations", "batch ms", "least", "one sample ms", "least"}};
  const auto milliseconds = [](double seconds) { return fixed(1e3 * seconds, 3); };
  const TrainedModel& uncut = *report.uncut;
  const TrainedModel& cut = report.arms.back();  // the grown arm stands last
  for (const TrainedModel* model : {&uncut, &cut})
    table.push_back({model == &uncut ? "before surgery" : "after",
                     std::to_string(model->parameters), std::to_string(model->operations),
                     milliseconds(model->latency_batch_seconds),
                     milliseconds(model->latency_batch_seconds_min),
                     milliseconds(model->latency_single_seconds),
                     milliseconds(model->latency_single_seconds_min)});
  print_table(out, table);
  const auto faster = [](double before, double after) {
    return after > 0 ? fixed(before / after, 2) + " times" : std::string{"-"};
  };
  out << "  faster by the least of interleaved passes: a batch "
      << faster(uncut.latency_batch_seconds_min, cut.latency_batch_seconds_min) << ", one sample "
      << faster(uncut.latency_single_seconds_min, cut.latency_single_seconds_min) << '\n';
}

void print_temporary(std::ostream& out, const RunAccount& account) {
  print_troubles(out, account);
  print_scaffolds(out, account);
  print_checkpoints(out, account);
  print_layers(out, account);
  print_surgeries(out, account);
}

}  // namespace esper
