#include "actors/decisions/region_graph.hpp"

namespace esper {

std::vector<RegionId> regions_within(const std::vector<RegionEdge>& edges, std::uint32_t regions,
                                     RegionId from, std::uint32_t radius) {
  if (from.value >= regions) return {};
  std::vector<bool> reached(regions, false);
  reached[from.value] = true;
  bool grew = true;
  for (std::uint32_t hop = 0; hop < radius && grew; ++hop) {
    std::vector<bool> next = reached;
    for (const RegionEdge& edge : edges) {
      if (edge.from.value >= regions || edge.to.value >= regions) continue;
      if (reached[edge.from.value]) next[edge.to.value] = true;
      if (reached[edge.to.value]) next[edge.from.value] = true;
    }
    grew = next != reached;
    reached = std::move(next);
  }
  std::vector<RegionId> within;
  for (std::uint32_t region = 0; region < regions; ++region)
    if (reached[region]) within.push_back({region});
  return within;
}

}  // namespace esper
