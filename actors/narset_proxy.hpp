#pragma once
// A Narset that lives on another node, as the prime's tree sees it.
#include "actors/context.hpp"
#include "actors/node_table.hpp"

namespace esper {

/// Stands in the Narset's place: passes its turns on and its parts back, asks the tree in its name,
/// and dies with it or with its node, upon which the supervisor starts the next one elsewhere.
[[nodiscard]] caf::strong_actor_ptr start_narset_proxy(caf::local_actor& parent,
                                                       const ControlContextPtr& context,
                                                       RegionId region, Epoch epoch,
                                                       const NodeTable::Seat& seat);

/// The region's next Narset, wherever the table seats it. Errors: throws std::runtime_error when no
/// node that is alive takes it.
[[nodiscard]] caf::strong_actor_ptr start_seated_narset(caf::local_actor& parent,
                                                        const ControlContextPtr& context,
                                                        NodeTable& nodes, RegionId region,
                                                        Epoch epoch);

}  // namespace esper
