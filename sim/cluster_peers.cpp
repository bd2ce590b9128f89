#include "sim/cluster_peers.hpp"

namespace esper::sim::cluster {

Peers::Peers(World& world, const Shape& shape, NodeId self, std::uint64_t process)
    : world_(world), shape_(shape), self_(self), process_(process), peers_(shape.nodes.size()) {
  // A later process comes above all incarnations of the one before.
  for (auto& peer : peers_) peer.own_incarnation = process << 20U;
}

void Peers::send_pulses(const Pulse& own) {
  for (NodeId node = 0; node < peers_.size(); ++node) {
    if (node == self_) continue;
    auto& peer = peers_[node];
    if (peer.detector.look(world_.now_ms()) == PeerState::lost)
      peer.gave_up = peer.detector.incarnation();
    auto pulse = own;
    pulse.incarnation = peer.own_incarnation;
    pulse.process = process_;
    pulse.gave_up = peer.gave_up;
    world_.send(self_, node, pulse);
  }
}

void Peers::take(NodeId from, const Pulse& pulse) {
  auto& peer = peers_[from];
  if (pulse.gave_up >= peer.own_incarnation) peer.own_incarnation = pulse.gave_up + 1;
  const auto now = world_.now_ms();
  const bool present =
      peer.detector.look(now) == PeerState::alive || peer.detector.state() == PeerState::suspected;
  if (present && pulse.incarnation == peer.detector.incarnation())
    peer.detector.heard(pulse.incarnation, now);
  else if (!peer.detector.met(pulse.incarnation, now))
    return;
  peer.last = pulse;
  peer.heard = true;
  peer.heard_ms = now;
  promised_max_ = std::max(promised_max_, pulse.promised);
}

std::vector<PeerWord> Peers::words() {
  std::vector<PeerWord> words;
  for (NodeId node = 0; node < peers_.size(); ++node)
    if (node != self_)
      words.push_back(
          {shape_.nodes[node].node, lost(node), peers_[node].last.stands, peers_[node].last.joins});
  return words;
}

bool Peers::lost(NodeId node) {
  if (node == self_) return false;
  const auto state = peers_[node].detector.look(world_.now_ms());
  return state == PeerState::lost || state == PeerState::unknown;
}

std::uint64_t Peers::process(NodeId node) const {
  if (node == self_) return process_;
  return peers_[node].heard ? peers_[node].last.process : 0;
}

bool Peers::heard_majority(std::uint64_t within_ms) const {
  std::size_t heard = 1;
  for (NodeId node = 0; node < peers_.size(); ++node)
    if (node != self_ && peers_[node].heard && peers_[node].heard_ms + within_ms >= world_.now_ms())
      ++heard;
  return 2 * heard > peers_.size();
}

}  // namespace esper::sim::cluster
