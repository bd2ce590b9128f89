#pragma once
// Typed handles of the actors that join nodes. They cross the wire as strong_actor_ptr: a described
// message holds no handles.
#include "messages/cluster.hpp"
#include "messages/handles.hpp"

namespace esper {

/// On every node that takes Narsets. With StartNarset comes the proxy that the Narset speaks to;
/// the answer is its NarsetPort. A bare strong_actor_ptr is the prime's reception, to be joined;
/// NodeLost tells of another node, or is the prime's farewell.
using NarsetHostHandle = caf::typed_actor<
    caf::replies_to<StartNarset, caf::strong_actor_ptr>::with<caf::strong_actor_ptr>,
    caf::reacts_to<caf::strong_actor_ptr>, caf::reacts_to<NodePulse>, caf::reacts_to<NodeLost>,
    caf::reacts_to<Nudge>>;

/// On the prime: where nodes join. With NodeJoins comes the node's NarsetHost.
using ReceptionHandle =
    caf::typed_actor<caf::replies_to<NodeJoins, caf::strong_actor_ptr>::with<NodeWelcome>,
                     caf::reacts_to<NodePulse>, caf::reacts_to<Nudge>>;

/// On a Narset's node: where its turns arrive.
using NarsetPortHandle = caf::typed_actor<caf::reacts_to<RegionTurn>>;

/// On the prime, in the place of a Narset that lives on another node: what the tree sends to a
/// Narset, and all that one asks of the tree.
using NarsetProxyHandle =
    caf::typed_actor<caf::reacts_to<RegionTurn>, caf::reacts_to<Nudge>, caf::reacts_to<NodeLost>,
                     caf::reacts_to<RegionPart>, caf::replies_to<Recover>::with<Recovery>,
                     caf::replies_to<ReadSeeds>::with<RegionSeeds>,
                     caf::replies_to<ReadCatalogue>::with<Catalogue>>;

/// Tells CAF of every message that crosses nodes: one that it isn't told of arrives empty.
inline void register_cluster_messages(caf::actor_system_config& config) {
  const auto add = [&]<typename... Messages>(std::tuple<Messages...>*) {
    (config.add_message_type<Messages>(std::string{Messages::schema.name}), ...);
  };
  add(static_cast<
      std::tuple<NodeJoins, NodeWelcome, NodePulse, StartNarset, NodeLost, RegionTurn, RegionPart,
                 Recover, Recovery, ReadSeeds, RegionSeeds, ReadCatalogue, Catalogue>*>(nullptr));
}

}  // namespace esper
