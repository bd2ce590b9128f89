#pragma once
// The tree of roles as data: what stands beside a training run, not yet started.
#include "actors/cluster_side.hpp"
#include "actors/control_plane.hpp"
#include "actors/supervisor.hpp"

namespace esper {

struct ControlTree {
  ControlContextPtr context;
  std::vector<Child> children;       ///< in start order
  std::shared_ptr<NodeTable> nodes;  ///< null: there is one node
};

/// Handles, lanes and children of every role; nothing runs before start_supervisor.
[[nodiscard]] ControlTree make_control_tree(caf::actor_system& system, const RunConfig& config,
                                            const HostDescription& host, const ControlSeams& seams);

}  // namespace esper
