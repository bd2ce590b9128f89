#pragma once
// What a checked config says of its nodes.
#include <string>
#include <vector>

#include "actors/decisions/node_role.hpp"
#include "actors/decisions/quorum.hpp"
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

/// Where a trainer keeps the table that the others find it by: from cluster.store_port on, in the
/// order of ranks.
[[nodiscard]] inline std::uint16_t store_port_of(const RunConfig& config, std::size_t rank) {
  return static_cast<std::uint16_t>(config.cluster.store_port + rank);
}

/// Every node, and whether it trains.
[[nodiscard]] inline std::vector<Voter> voters_of(const RunConfig& config) {
  std::vector<Voter> found;
  for (const auto& node : config.nodes)
    found.push_back({node.name, has_role(node, NodeRole::trainer)});
  return found;
}

/// That node's place among the trainers; nothing: it is the only one, or none.
[[nodiscard]] inline std::optional<ReplicaPlace> replica_of(const RunConfig& config,
                                                            const NodeConfig& node) {
  const auto trainers = trainers_of(config);
  if (trainers.size() < 2) return std::nullopt;
  ReplicaPlace place{
      .node = node.name, .stores = {}, .store_port = 0, .leads = has_role(node, NodeRole::prime)};
  bool trains = false;
  for (std::size_t rank = 0; rank < trainers.size(); ++rank) {
    const auto port = store_port_of(config, rank);
    place.stores.push_back(trainers[rank].address + ":" + std::to_string(port));
    if (trainers[rank].name != node.name) continue;
    place.store_port = port;
    trains = true;
  }
  return trains ? std::optional{place} : std::nullopt;
}

/// Of this machine alone, whatever it is.
[[nodiscard]] inline bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace esper
