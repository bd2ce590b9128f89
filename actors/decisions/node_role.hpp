#pragma once
// What a node of the config is for.
#include <algorithm>

#include "messages/configuration.hpp"

namespace esper {

[[nodiscard]] inline bool has_role(const NodeConfig& node, NodeRole role) {
  return std::find(node.roles.begin(), node.roles.end(), role) != node.roles.end();
}

/// The trainers in the order of their ranks: the prime's, its standby's, then as configured.
[[nodiscard]] inline std::vector<NodeConfig> trainers_of(const RunConfig& config) {
  std::vector<NodeConfig> trainers;
  for (const auto& node : config.nodes)
    if (has_role(node, NodeRole::trainer)) trainers.push_back(node);
  const auto place = [](const NodeConfig& node) {
    return has_role(node, NodeRole::prime) ? 0 : has_role(node, NodeRole::standby) ? 1 : 2;
  };
  std::stable_sort(trainers.begin(), trainers.end(),
                   [&](const NodeConfig& a, const NodeConfig& b) { return place(a) < place(b); });
  return trainers;
}

/// Those that do not train: their votes on which trainers go on are asked for.
[[nodiscard]] inline std::vector<NodeConfig> witnesses_of(const RunConfig& config) {
  std::vector<NodeConfig> found;
  for (const auto& node : config.nodes)
    if (!has_role(node, NodeRole::trainer)) found.push_back(node);
  return found;
}

}  // namespace esper
