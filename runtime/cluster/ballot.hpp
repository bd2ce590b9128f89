#pragma once
// How a trainer asks the nodes that do not train for their votes.
#include "messages/interfaces.hpp"
#include "runtime/cluster/node_identity.hpp"

namespace esper {

/// As of runtime/cluster/cluster_config.hpp, with the launch's number and a way to the witnesses:
/// each question through a gate of its own, which ends with it. Errors: throws std::runtime_error,
/// one sentence, when the certificates can't be used.
[[nodiscard]] std::optional<ReplicaPlace> replica_of(const NodeIdentity& identity);

}  // namespace esper
