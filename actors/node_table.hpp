#pragma once
// The prime's book of nodes: who is there, and on which of them each region's Narset is placed.
#include <map>
#include <mutex>

#include <caf/all.hpp>

#include "actors/decisions/failure_detector.hpp"
#include "actors/decisions/placement.hpp"
#include "messages/cluster.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// Safe from any thread. Instants are in ms of one clock that never goes back.
class NodeTable {
 public:
  /// `own`: this node, which is always there.
  NodeTable(const RunConfig& config, const HostDescription& host, std::string own);

  /// Why that node is not let in; "": it may join.
  [[nodiscard]] std::string refusal_of(const NodeJoins& asks) const;
  /// It is there from now on. `narset_host`: its NarsetHost.
  void join(const NodeJoins& asks, caf::strong_actor_ptr narset_host, std::uint64_t now_ms);
  void heard(const NodePulse& pulse, std::uint64_t now_ms);
  /// The NarsetHost at this address is out of reach.
  void gone(const caf::actor_addr& narset_host);
  /// The run is over: nodes that leave from now on have not been lost.
  void close();
  /// Nodes that have been lost since the last look.
  [[nodiscard]] std::vector<NodeLost> look(std::uint64_t now_ms);
  /// "": no Narset is placed there from now on, and who lives there has to move; else why not.
  [[nodiscard]] std::string drain(const std::string& node);

  /// Where a region's next Narset goes.
  struct Seat {
    std::string node;
    caf::strong_actor_ptr narset_host;  ///< null: here
  };
  /// Where it was while that node is alive, else where rendezvous hashing puts it. Nothing: no
  /// node that is alive takes it.
  [[nodiscard]] std::optional<Seat> seat(RegionId region);
  /// Who stands for the region's Narset here.
  void seated(RegionId region, const caf::actor_addr& proxy);
  /// Who must hear that this node is lost, or drained.
  [[nodiscard]] std::vector<caf::actor_addr> proxies_on(const std::string& node) const;

  /// NarsetHosts of the nodes that are there.
  [[nodiscard]] std::vector<caf::strong_actor_ptr> narset_hosts() const;
  /// Configured nodes that have not joined yet and take Narsets.
  [[nodiscard]] std::vector<std::string> missing() const;
  [[nodiscard]] std::vector<NodeStanding> standing() const;
  [[nodiscard]] const std::string& own() const { return own_; }

 private:
  struct Node {
    NodeConfig config;
    FailureDetector detector;
    caf::strong_actor_ptr narset_host;
    bool drained{};
    bool told_lost{};
  };
  [[nodiscard]] const Node* find(const std::string& name) const;
  [[nodiscard]] bool takes(const Node& node) const;
  /// A place for this region, whose Narset has fallen, and for those of nodes that are lost. Who
  /// stands on a node that has fallen silent, and may be heard again, stays there.
  void place_for(RegionId asked);

  struct Seated {
    std::string node;
    std::uint64_t incarnation{};
    caf::actor_addr proxy;  ///< null: its Narset is here, or about to be asked for there
  };

  mutable std::mutex mutex_;
  const std::string own_;
  std::vector<Node> nodes_;
  std::vector<PlacementRegion> regions_;
  std::vector<std::string> placed_;   ///< where its next Narset goes, by region; "": no node
  std::map<RegionId, Seated> seats_;  ///< where its Narset is: a lost node's stay till they fall
  bool closed_{};
};

}  // namespace esper
