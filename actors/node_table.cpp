#include "actors/node_table.hpp"

#include <algorithm>

#include "actors/decisions/node_role.hpp"

namespace esper {

NodeTable::NodeTable(const RunConfig& config, const HostDescription& host, std::string own)
    : own_(std::move(own)), placed_(host.regions.size()) {
  const DetectorPolicy policy{.suspicion_ms = config.cluster.timeouts.suspicion_ms,
                              .confirmation_ms = config.cluster.timeouts.confirmation_ms};
  for (const auto& node : config.nodes) nodes_.push_back({node, FailureDetector(policy), {}});
  for (const auto& region : host.regions) {
    regions_.push_back({region.name, ""});
    for (const auto& pin : config.cluster.pins)
      if (pin.region == region.name) regions_.back().pinned = pin.node;
  }
}

const NodeTable::Node* NodeTable::find(const std::string& name) const {
  const auto found =
      std::ranges::find_if(nodes_, [&](const Node& node) { return node.config.name == name; });
  return found == nodes_.end() ? nullptr : &*found;
}

std::string NodeTable::refusal_of(const NodeJoins& asks) const {
  const std::lock_guard lock(mutex_);
  const Node* node = find(asks.node);
  if (node == nullptr || asks.node == own_) return asks.node + " is not another node of the config";
  auto detector = node->detector;  // a copy: nothing is changed
  if (!detector.met(asks.incarnation, 0))
    return asks.node + " was given up, or is there already: it must come back as new";
  return "";
}

void NodeTable::join(const NodeJoins& asks, caf::strong_actor_ptr narset_host,
                     std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  auto* node = const_cast<Node*>(find(asks.node));
  if (node == nullptr || !node->detector.met(asks.incarnation, now_ms)) return;
  node->narset_host = std::move(narset_host);
  node->told_lost = false;
}

void NodeTable::heard(const NodePulse& pulse, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (auto* node = const_cast<Node*>(find(pulse.node)))
    node->detector.heard(pulse.incarnation, now_ms);
}

void NodeTable::gone(const caf::actor_addr& narset_host) {
  const std::lock_guard lock(mutex_);
  for (auto& node : nodes_)
    if (node.narset_host && node.narset_host == narset_host) {
      if (!closed_) node.detector.stream_gone(node.detector.incarnation());
      node.narset_host = nullptr;
    }
}

void NodeTable::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

std::vector<NodeLost> NodeTable::look(std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  std::vector<NodeLost> lost;
  for (auto& node : nodes_)
    if (node.detector.look(now_ms) == PeerState::lost && !std::exchange(node.told_lost, true)) {
      node.narset_host = nullptr;
      lost.push_back({node.config.name, node.detector.incarnation()});
    }
  return lost;
}

std::string NodeTable::drain(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto* node = const_cast<Node*>(find(name));
  if (node == nullptr) return "there is no node " + name;
  if (name == own_) return name + " is the prime's own node";
  const bool others = std::ranges::any_of(
      nodes_, [&](const Node& other) { return other.config.name != name && takes(other); });
  if (!others) return "no other node that is there takes Narsets";
  for (const auto& region : regions_)
    if (region.pinned == name) return "the region " + region.name + " is pinned to " + name;
  node->drained = true;
  return "";
}

bool NodeTable::takes(const Node& node) const {
  return has_role(node.config, NodeRole::narsets) && !node.drained &&
         (node.config.name == own_ ||
          (node.narset_host && node.detector.state() == PeerState::alive));
}

void NodeTable::place_for(RegionId asked) {
  placed_.at(asked.value) = "";
  std::vector<PlacementNode> nodes;
  for (const auto& node : nodes_) {
    const bool may_be_heard_again = node.detector.state() == PeerState::suspected && !node.drained;
    if (takes(node) || may_be_heard_again)
      nodes.push_back({node.config.name, node.config.narsets_max, !takes(node)});
  }
  const auto placement = place_again(regions_, nodes, placed_);
  for (std::size_t region = 0; region < regions_.size(); ++region)
    placed_[region] = placement[region] ? nodes[*placement[region]].name : "";
}

std::optional<NodeTable::Seat> NodeTable::seat(RegionId region) {
  const std::lock_guard lock(mutex_);
  auto& place = placed_.at(region.value);
  const Node* node = find(place);
  // Looked at one region at a time: who stands where all is well is not counted anew for each.
  if (node == nullptr || !takes(*node)) {
    place_for(region);
    node = find(place);
  }
  if (node == nullptr) return std::nullopt;
  seats_[region] = {place, node->detector.incarnation(), nullptr};
  return Seat{place, place == own_ ? nullptr : node->narset_host};
}

void NodeTable::seated(RegionId region, const caf::actor_addr& proxy) {
  const std::lock_guard lock(mutex_);
  seats_.at(region).proxy = proxy;
}

std::vector<caf::actor_addr> NodeTable::proxies_on(const std::string& node) const {
  const std::lock_guard lock(mutex_);
  std::vector<caf::actor_addr> found;
  for (const auto& [region, seated] : seats_)
    if (seated.node == node && seated.proxy) found.push_back(seated.proxy);
  return found;
}

std::vector<caf::strong_actor_ptr> NodeTable::narset_hosts() const {
  const std::lock_guard lock(mutex_);
  std::vector<caf::strong_actor_ptr> hosts;
  for (const auto& node : nodes_)
    if (node.narset_host) hosts.push_back(node.narset_host);
  return hosts;
}

std::vector<std::string> NodeTable::missing() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& node : nodes_)
    if (node.config.name != own_ && has_role(node.config, NodeRole::narsets) && !node.narset_host)
      names.push_back(node.config.name);
  return names;
}

std::vector<NodeStanding> NodeTable::standing() const {
  const std::lock_guard lock(mutex_);
  std::vector<NodeStanding> all;
  for (const auto& node : nodes_) {
    const auto state = node.config.name == own_ ? PeerState::alive : node.detector.state();
    all.push_back({.node = node.config.name,
                   .state = std::string{name_of(state)},
                   .incarnation = node.detector.incarnation(),
                   .drained = node.drained,
                   .regions = {}});
    for (const auto& [region, seated] : seats_)
      if (seated.node == node.config.name && state != PeerState::lost &&
          seated.incarnation == node.detector.incarnation())
        all.back().regions.push_back(regions_.at(region.value).name);
  }
  return all;
}

}  // namespace esper
