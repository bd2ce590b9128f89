#pragma once
// What joins the tree of actors to other nodes: the network layer, seen from the tree.
#include <memory>

#include <caf/all.hpp>

#include "actors/node_table.hpp"

namespace esper {

class ClusterSide {
 public:
  virtual ~ClusterSide() = default;
  /// Before the actor system is made: adds its network layer.
  virtual void configure(caf::actor_system_config& config) = 0;
  /// The book of nodes, for a host as it was launched. Asked for once, before `open`.
  [[nodiscard]] virtual std::shared_ptr<NodeTable> make_table(const HostDescription& host) = 0;
  /// Lets nodes come to `reception` and waits until those that take Narsets are there. Errors:
  /// throws std::runtime_error, one sentence that names who is missing.
  virtual void open(caf::actor_system& system, const caf::strong_actor_ptr& reception) = 0;
  /// The journal's name among the runs of its database, for a standby; "": it is a file.
  [[nodiscard]] virtual std::string journal_run() const { return ""; }
  /// Who hears of lost nodes from now on; empty: nobody.
  virtual void tell_losses(const std::function<void(const std::string& node)>& /*tell*/) {}
  /// That node is lost; called on an actor's thread, and must not wait.
  virtual void lost(const std::string& /*node*/) {}
  /// Nobody comes in any more; before the actor system ends.
  virtual void close() = 0;
};

}  // namespace esper
