#include "actors/decisions/placement.hpp"

#include <algorithm>

#include "actors/decisions/random.hpp"

namespace esper {

namespace {

class Rooms {
 public:
  explicit Rooms(const std::vector<PlacementNode>& nodes) : nodes_(nodes), taken_(nodes.size()) {}

  [[nodiscard]] std::optional<std::size_t> named(std::string_view name) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].name == name) return i;
    return std::nullopt;
  }
  [[nodiscard]] bool has_room(std::size_t node) const {
    return nodes_[node].capacity == 0 || taken_[node] < nodes_[node].capacity;
  }
  [[nodiscard]] std::optional<std::size_t> keenest(std::string_view region) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].closed || !has_room(i)) continue;
      if (!best || keener(i, *best, region)) best = i;
    }
    return best;
  }
  void take(std::size_t node) { ++taken_[node]; }

 private:
  /// Equal scores would leave it to the order of the list.
  [[nodiscard]] bool keener(std::size_t one, std::size_t other, std::string_view region) const {
    const auto mine = rendezvous_score(nodes_[one].name, region),
               theirs = rendezvous_score(nodes_[other].name, region);
    return mine != theirs ? mine > theirs : nodes_[one].name < nodes_[other].name;
  }

  const std::vector<PlacementNode>& nodes_;
  std::vector<std::uint32_t> taken_;
};

}  // namespace

std::uint64_t rendezvous_score(std::string_view node, std::string_view region) {
  std::uint64_t state = text_hash(node);
  state = split_mix(state) ^ text_hash(region);
  return split_mix(state);
}

Placement place(const std::vector<PlacementRegion>& regions,
                const std::vector<PlacementNode>& nodes) {
  return place_again(regions, nodes, {});
}

Placement place_again(const std::vector<PlacementRegion>& regions,
                      const std::vector<PlacementNode>& nodes,
                      const std::vector<std::string>& before) {
  Placement placement(regions.size());
  Rooms rooms(nodes);
  const auto settle = [&](std::size_t region, std::optional<std::size_t> node) {
    if (!node || !rooms.has_room(*node)) return;
    const bool stands = region < before.size() && before[region] == nodes[*node].name;
    if (nodes[*node].closed && !stands) return;
    placement[region] = node;
    rooms.take(*node);
  };
  for (std::size_t i = 0; i < regions.size(); ++i)
    if (!regions[i].pinned.empty()) settle(i, rooms.named(regions[i].pinned));
  for (std::size_t i = 0; i < std::min(regions.size(), before.size()); ++i)
    if (regions[i].pinned.empty()) settle(i, rooms.named(before[i]));
  for (std::size_t i = 0; i < regions.size(); ++i)
    if (regions[i].pinned.empty() && !placement[i]) settle(i, rooms.keenest(regions[i].name));
  return placement;
}

}  // namespace esper
