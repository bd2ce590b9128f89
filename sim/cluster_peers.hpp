#pragma once
// What one node hears of the others: a failure detector each, and their last pulses.
#include "sim/cluster_shape.hpp"
#include "sim/cluster_world.hpp"

namespace esper::sim::cluster {

class Peers {
 public:
  Peers(World& world, const Shape& shape, NodeId self, std::uint64_t process);

  void send_pulses(const Pulse& own);
  void take(NodeId from, const Pulse& pulse);
  /// Of every other node.
  [[nodiscard]] std::vector<PeerWord> words();
  [[nodiscard]] bool lost(NodeId node);
  /// Of the node, as it says; 0: not heard of.
  [[nodiscard]] std::uint64_t process(NodeId node) const;
  /// More than half of all nodes were heard of within that time, this one among them.
  [[nodiscard]] bool heard_majority(std::uint64_t within_ms) const;
  [[nodiscard]] std::uint64_t promised_max() const { return promised_max_; }

 private:
  struct Peer {
    FailureDetector detector{cluster::detector};
    Pulse last;
    std::uint64_t own_incarnation{}, gave_up{}, heard_ms{};
    bool heard{};
  };
  World& world_;
  const Shape& shape_;
  NodeId self_;
  std::uint64_t process_, promised_max_{};
  std::vector<Peer> peers_;
};

}  // namespace esper::sim::cluster
