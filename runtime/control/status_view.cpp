#include "runtime/control/status_view.hpp"

#include <ostream>

#include "runtime/listed.hpp"
#include "runtime/report.hpp"
#include "runtime/report_numbers.hpp"
#include "runtime/trace_text.hpp"

namespace esper {
namespace {

std::string state_of(const RegionStanding& region) {
  std::vector<std::string> words;
  if (!region.absent.empty()) words.push_back("absent: " + region.absent);
  if (region.in_crisis) words.emplace_back("crisis");
  if (region.frozen) words.emplace_back("frozen");
  if (region.embargoed) words.emplace_back("zone");
  if (words.empty()) words.emplace_back(region.stable ? "stable" : "moving");
  return listed(words);
}

std::string seeds_of(const RegionStanding& region) {
  std::vector<std::string> words;
  for (const SeedStanding& seed : region.seeds)
    words.push_back(seed.slot + " " + seed.blueprint + " " + seed.stage + " " +
                    fixed(seed.alpha, 2));
  return words.empty() ? "-" : listed(words);
}

std::string held_by(const Override& one, const std::vector<RegionStanding>& regions) {
  std::string text{name_of(one.kind)};
  if (one.kind == OverrideKind::posture) text += " " + std::string{name_of(one.posture)};
  if (one.kind != OverrideKind::posture && one.region.value < regions.size())
    text += " " + regions[one.region.value].region;
  if (one.kind == OverrideKind::grant) text += " " + std::to_string(one.energy.thousandths);
  return text + " until window " + std::to_string(one.until.value) + ", by " + one.who + ": " +
         one.why;
}

}  // namespace

void print_status(std::ostream& out, const LiveStatus& status) {
  const RunStatus& run = status.run;
  out << status.name << "  seed " << status.seed << "  " << name_of(status.mode) << ", "
      << name_of(status.pace) << "  ";
  if (status.process == 0)
    out << "not running";
  else
    out << "process " << status.process << "  " << status.arm << "  step " << status.step.value
        << '/' << status.steps.value << "  loss " << fixed(status.loss, 4);
  out << "\nwindow " << run.window.value << " (step " << run.step.value << ")  posture "
      << run.posture << "  energy " << run.energy.available.thousandths << " free, "
      << run.energy.reserved.thousandths << " reserved, " << run.energy.spent.thousandths
      << " spent of " << run.energy.minted.thousandths << "\n\n";
  Table table{{"region", "loss", "held", "asks", "state", "seeds"}};
  for (const RegionStanding& region : run.regions)
    table.push_back({region.region, fixed(region.loss, 4), std::to_string(region.held.thousandths),
                     std::to_string(region.asked.thousandths), state_of(region), seeds_of(region)});
  print_table(out, table);
  if (!status.nodes.empty()) {
    out << '\n';
    Table nodes{{"node", "state", "Narsets of"}};
    for (const NodeStanding& node : status.nodes)
      nodes.push_back({node.node, node.state + (node.drained ? ", drained" : ""),
                       node.regions.empty() ? "-" : listed(node.regions)});
    print_table(out, nodes);
  }
  if (!status.replicas.empty()) out << "replicas: " << status.replicas << '\n';
  for (const Override& one : run.overrides)
    out << "override  " << held_by(one, run.regions) << '\n';
  out << "\nbreakers open: " << (status.breakers.empty() ? "none" : listed(status.breakers))
      << "   restarts: " << run.restarts << "\n";
  for (const std::string& event : run.events) out << "  " << event << '\n';
}

}  // namespace esper
