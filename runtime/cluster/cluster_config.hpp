#pragma once
// What a checked config says of its nodes.
#include <string>
#include <vector>

#include "actors/decisions/node_role.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// Null: there is no such node.
[[nodiscard]] inline const NodeConfig* node_named(const RunConfig& config,
                                                  const std::string& name) {
  for (const auto& node : config.nodes)
    if (node.name == name) return &node;
  return nullptr;
}

/// The one prime. Null: the config has no nodes.
[[nodiscard]] inline const NodeConfig* prime_of(const RunConfig& config) {
  for (const auto& node : config.nodes)
    if (has_role(node, NodeRole::prime)) return &node;
  return nullptr;
}

[[nodiscard]] inline std::vector<NodeConfig> nodes_with(const RunConfig& config, NodeRole role) {
  std::vector<NodeConfig> found;
  for (const auto& node : config.nodes)
    if (has_role(node, role)) found.push_back(node);
  return found;
}

/// That node's place among the trainers; nothing: it is the only one, or none.
[[nodiscard]] inline std::optional<ReplicaPlace> replica_of(const RunConfig& config,
                                                            const NodeConfig& node) {
  const auto* prime = prime_of(config);
  if (prime == nullptr || !has_role(node, NodeRole::trainer) ||
      nodes_with(config, NodeRole::trainer).size() < 2)
    return std::nullopt;
  return ReplicaPlace{.node = node.name,
                      .store = prime->address + ":" + std::to_string(config.cluster.store_port),
                      .leads = node.name == prime->name};
}

/// Of this machine alone, whatever it is.
[[nodiscard]] inline bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace esper
