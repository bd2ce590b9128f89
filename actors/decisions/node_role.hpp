#pragma once
// What a node of the config is for.
#include <algorithm>

#include "messages/cluster_config.hpp"

namespace esper {

[[nodiscard]] inline bool has_role(const NodeConfig& node, NodeRole role) {
  return std::find(node.roles.begin(), node.roles.end(), role) != node.roles.end();
}

}  // namespace esper
