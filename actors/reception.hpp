#pragma once
// The prime's side of the nodes: lets them join, hears them, and says which are lost.
#include "actors/cluster_side.hpp"
#include "actors/context.hpp"

namespace esper {

/// A ReceptionHandle. Beats every cluster.timeouts.heartbeat_ms until it is told to exit; then it
/// says farewell and ends when the nodes have gone, or soon. `side` outlives it.
[[nodiscard]] caf::strong_actor_ptr start_reception(caf::actor_system& system,
                                                    const ControlContextPtr& context,
                                                    std::shared_ptr<NodeTable> nodes,
                                                    ClusterSide& side);

}  // namespace esper
