#pragma once
// One node's part in forming groups, and its replica when it trains.
#include "sim/cluster_checks.hpp"
#include "sim/cluster_peers.hpp"

namespace esper::sim::cluster {

/// What a node finds again when it starts anew.
struct Disk {
  GroupMemory memory;
  Progress progress;  ///< of the checkpoint
  std::shared_ptr<const ReplicaState> checkpoint;
  std::vector<Epoch> fences = std::vector<Epoch>(regions);
};

/// What members share of the simulation.
struct Site {
  World& world;
  Checks& checks;
  const Shape& shape;
  std::vector<Disk>& disks;
  std::vector<Progress> reached;  ///< by node: how far its replica is
};

class Member {
 public:
  Member(Site& site, Peers& peers, NodeId self, std::uint64_t process);

  /// Every pulse.
  void tick();
  void take(NodeId from, const Ask& ask);
  void take(NodeId from, const Standing& standing);
  void take(NodeId from, const Propose& propose);
  void take(NodeId from, const Agreed& agreed);
  void take(NodeId from, const Formed& formed);
  void take(NodeId from, const StateRequest& request);
  void take(NodeId from, const StateTransfer& transfer);
  void take(NodeId from, const Contribution& contribution);
  void take(NodeId from, const FenceRequest& request);
  void take(NodeId from, const Submit& submit);

  [[nodiscard]] Pulse pulse() const;
  [[nodiscard]] std::uint64_t step() const { return state_.step; }
  [[nodiscard]] bool ready_for_change() const;
  /// Loss or gradient of its next step is no number, in that region.
  void poison(RegionId region) { poisoned_ = region; }
  void resumed() { resumed_ms_ = site_.world.now_ms(); }

 private:
  [[nodiscard]] bool trains() const { return site_.shape.nodes[self_].trains; }
  [[nodiscard]] Disk& disk() { return site_.disks[self_]; }
  void after(std::uint64_t delay_ms, std::function<void()> what);
  void start_round();
  void decide_round(std::uint64_t epoch, bool last);
  void stand(const ReplicaState& state);
  void plan_step();
  void contribute(std::uint64_t epoch, std::uint64_t step);
  [[nodiscard]] bool may_contribute(std::uint64_t epoch, std::uint64_t step);
  void prepare();
  void complete_if_whole();
  void complete(const std::vector<const Contribution*>& parts);
  void tell();

  Site& site_;
  Peers& peers_;
  NodeId self_;
  std::uint64_t process_;
  TrainingGroup group_;
  std::optional<GroupRound> round_;
  std::optional<std::uint64_t> asking_since_ms_;
  bool joins_{}, restored_{};

  ReplicaState state_;
  std::set<std::uint64_t> refused_;  ///< plans that this replica cannot prepare
  std::optional<RegionId> poisoned_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::map<NodeId, Contribution>> parts_;
  std::uint64_t contributed_{}, resumed_ms_{};
  std::vector<Command> exchange_;  ///< for the leader's next boundary
  std::vector<Epoch> fences_asked_ = std::vector<Epoch>(regions);
  std::optional<Report> untold_;
};

}  // namespace esper::sim::cluster
