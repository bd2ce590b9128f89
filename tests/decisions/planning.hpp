#pragma once
// A planning turn to disturb: importance rises with the channel's number.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/decisions/host_catalogue.hpp"
#include "actors/decisions/pruning_planner.hpp"

namespace esper {

/// Importances of 1, 2, 3, … in every group: the first channels are the least important.
inline ImportanceReport rising(const HostDescription& host) {
  ImportanceReport report;
  report.checkpoint = 1;
  report.structure_version = 5;
  report.samples = 2'048;
  report.host = host;
  for (const CoupledGroup& group : host.coupled_groups) {
    GroupImportance measured;
    measured.group = group.name;
    for (std::uint32_t channel = 0; channel < group.channels; ++channel) {
      measured.importance.push_back(channel + 1);
      measured.activity.push_back(1);
    }
    report.groups.push_back(measured);
  }
  return report;
}

struct Planning {
  Planning() {
    turn.window = {7};
    turn.checkpoint = 1;
    turn.allowance = {100'000};
    turn.zones.version = 9;
    config.compaction.importance_lost_max = 0.2;
  }
  [[nodiscard]] PruningPart plan() const {
    return plan_pruning(turn, importance, problem, config, host);
  }
  void embargo(std::vector<RegionId> regions) { turn.zones.embargoed = std::move(regions); }

  HostDescription host = describe_host("fashion_cnn", "base").value();
  PlanningTurn turn;
  std::optional<ImportanceReport> importance = rising(host);
  std::string problem;
  RunConfig config;
};

}  // namespace esper
