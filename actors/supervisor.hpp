#pragma once
// Supervision of a node's roles. The tree is data: decisions/role_tree says in which order roles
// start and stop, and who falls with whom.
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
  /// Roles whose handler outlived the ordered stop, as "narset 2". To be read after the
  /// supervisor's end.
  std::vector<std::string> blocked;
};

using SupervisorHandle = caf::typed_actor<caf::replies_to<KillRole>::with<KillAnswer>,
                                          caf::reacts_to<StartRole>, caf::reacts_to<Nudge>>;

/// Starts the children, in any order given, in the tree's order and keeps them: restarts by
/// decisions/restart, each incarnation with a higher epoch; past the intensity the role's breaker
/// opens, its lane closes and lockstep no longer waits. After the breaker's backoff one incarnation
/// is the probe: when it falls the backoff doubles, when it lives for control.period_ms the breaker
/// closes. Before a role that others fall with starts again, those are stopped; they start after
/// it. An exit message stops all. A stop goes in reverse order, each child before the next; one
/// whose handler does not end by its deadline is named in the log and left behind: when it ends
/// after all, and the tree still stands, its successor starts.
[[nodiscard]] SupervisorHandle start_supervisor(caf::actor_system& system,
                                                const ControlContextPtr& context,
                                                std::vector<Child> children,
                                                std::shared_ptr<SupervisionCounts> counts);

}  // namespace esper
