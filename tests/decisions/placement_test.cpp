// Where Narsets live: as the config pins them, within capacity, and moved only when they must be.
#include "actors/decisions/placement.hpp"

#include <catch2/catch.hpp>

#include <map>

#include "tests/property.hpp"

namespace esper {
namespace {

std::vector<PlacementRegion> regions_of(int count) {
  std::vector<PlacementRegion> regions;
  for (int i = 0; i < count; ++i) regions.push_back({"region-" + std::to_string(i), ""});
  return regions;
}

std::vector<PlacementNode> nodes_of(int count, std::uint32_t capacity = 0) {
  std::vector<PlacementNode> nodes;
  for (int i = 0; i < count; ++i) nodes.push_back({"node-" + std::to_string(i), capacity});
  return nodes;
}

std::vector<std::string> names(const Placement& placement,
                               const std::vector<PlacementNode>& nodes) {
  std::vector<std::string> found;
  for (const auto& node : placement) found.push_back(node ? nodes[*node].name : "");
  return found;
}

}  // namespace

SCENARIO("a lost node's regions move and no others, and come to where they would have been",
         "[placement]") {
  CHECK(holds("placement", 300, [] {
    const auto regions = regions_of(*rc::gen::inRange(1, 60));
    const auto nodes = nodes_of(*rc::gen::inRange(2, 8));
    const auto before = names(place(regions, nodes), nodes);
    auto left = nodes;
    const auto lost = *rc::gen::inRange<std::size_t>(0, nodes.size());
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(lost));
    const auto after = names(place_again(regions, left, before), left);
    RC_ASSERT(after == names(place(regions, left), left));
    for (std::size_t i = 0; i < regions.size(); ++i) {
      RC_ASSERT(!after[i].empty());
      if (before[i] != nodes[lost].name) RC_ASSERT(after[i] == before[i]);
    }
    // The order in which the config names nodes says nothing.
    auto turned = left;
    std::reverse(turned.begin(), turned.end());
    RC_ASSERT(names(place(regions, turned), turned) == after);
  }));
}

SCENARIO("no node takes more than it has room for, and a region holds only when none has any",
         "[placement]") {
  CHECK(holds("capacity", 300, [] {
    const auto regions = regions_of(*rc::gen::inRange(1, 40));
    auto nodes = nodes_of(*rc::gen::inRange(1, 6));
    std::uint32_t room = 0;
    for (auto& node : nodes) room += node.capacity = *rc::gen::inRange<std::uint32_t>(1, 12);
    const auto placement = place(regions, nodes);
    std::map<std::size_t, std::uint32_t> taken;
    std::uint32_t placed = 0;
    for (const auto& node : placement)
      if (node) {
        ++taken[*node];
        ++placed;
      }
    for (const auto& [node, count] : taken) RC_ASSERT(count <= nodes[node].capacity);
    RC_ASSERT(placed == std::min<std::uint32_t>(room, static_cast<std::uint32_t>(regions.size())));
  }));
}

SCENARIO("a closed node keeps who stands there and takes nobody, pinned to it or not",
         "[placement]") {
  CHECK(holds("closed", 300, [] {
    auto regions = regions_of(*rc::gen::inRange(1, 40));
    auto nodes = nodes_of(*rc::gen::inRange(2, 6));
    auto before = names(place(regions, nodes), nodes);
    auto& closed = nodes[*rc::gen::inRange<std::size_t>(0, nodes.size())];
    closed.closed = true;
    for (std::size_t i = 0; i < regions.size(); ++i) {
      if (*rc::gen::arbitrary<bool>()) before[i] = "";
      if (*rc::gen::inRange(0, 8) == 0) regions[i].pinned = closed.name;
    }
    const auto after = names(place_again(regions, nodes, before), nodes);
    for (std::size_t i = 0; i < regions.size(); ++i) {
      const bool elsewhere = !regions[i].pinned.empty() && before[i] != closed.name;
      RC_ASSERT(after[i].empty() == elsewhere);
      RC_ASSERT((after[i] == closed.name) == (before[i] == closed.name));
    }
  }));
}

SCENARIO("a pinned region lives on its node or nowhere", "[placement]") {
  auto regions = regions_of(6);
  regions[5].pinned = "node-1";
  regions[4].pinned = "gone";
  const auto nodes = nodes_of(3, 2);
  const auto placement = names(place(regions, nodes), nodes);
  CHECK(placement[5] == "node-1");
  CHECK(placement[4] == "");
  CHECK(std::count(placement.begin(), placement.end(), "node-1") == 2);
}

SCENARIO("regions spread over nodes about evenly", "[placement]") {
  const auto nodes = nodes_of(4);
  std::map<std::string, int> counts;
  for (const auto& name : names(place(regions_of(4'000), nodes), nodes)) ++counts[name];
  for (const auto& [name, count] : counts) {
    INFO(name);
    CHECK(count > 850);
    CHECK(count < 1'150);
  }
}

}  // namespace esper
