#pragma once
// One-for-one supervision of a node's roles. The tree is data: a list of children in start order.
#include <functional>

#include "actors/context.hpp"

namespace esper {

/// One role's place in the tree.
struct Child {
  Role role{};
  RegionId region;
  std::function<caf::strong_actor_ptr(caf::local_actor&, Epoch)> start;  ///< may throw
  caf::strong_actor_ptr handle;                                          ///< its StableHandle
  std::shared_ptr<LaneQueue> lane;  ///< null for roles that only answer requests
  Epoch before{};                   ///< of its last incarnation, in another process; 0: none
};

/// What the launcher reads after the stop. Written by the supervisor alone.
struct SupervisionCounts {
  std::atomic<std::uint64_t> restarts{0};
  std::atomic<bool> gave_up{false};  ///< some role's breaker is not closed
};

using SupervisorHandle = caf::typed_actor<caf::reacts_to<KillRole>, caf::reacts_to<StartRole>>;

/// Starts the children in order and keeps them: restarts by decisions/restart, each incarnation
/// with a higher epoch; past the intensity the role's breaker opens, its lane closes and lockstep
/// no longer waits. After the breaker's backoff one incarnation is the probe: when it falls the
/// backoff doubles, when it lives for control.period_ms the breaker closes. An exit message stops
/// the children in reverse order, each before the next.
[[nodiscard]] SupervisorHandle start_supervisor(caf::actor_system& system,
                                                const ControlContextPtr& context,
                                                std::vector<Child> children,
                                                std::shared_ptr<SupervisionCounts> counts);

}  // namespace esper
