#pragma once
// Which nodes a simulated cluster has, drawn from its seed, and its time-outs.
#include "actors/decisions/failure_detector.hpp"
#include "sim/cluster_messages.hpp"

namespace esper::sim::cluster {

constexpr std::uint64_t pulse_ms = 250, collective_ms = 3'000;
constexpr DetectorPolicy detector{1'000, 2'000};

struct Shape {
  std::vector<Voter> nodes;
  std::vector<NodeId> trainers, banks, homes;  ///< homes: where Narsets may live
  std::uint64_t last_step{};

  [[nodiscard]] NodeId database() const { return static_cast<NodeId>(nodes.size()); }
  [[nodiscard]] NodeId node_of(const std::string& name) const {
    for (NodeId node = 0; node < nodes.size(); ++node)
      if (nodes[node].node == name) return node;
    return database();
  }
};

}  // namespace esper::sim::cluster
