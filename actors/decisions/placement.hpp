#pragma once
// Which node each region's Narset lives on.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/units.hpp"

namespace esper {

struct PlacementNode {
  std::string name;
  std::uint32_t capacity{};  ///< Narsets at most; 0: any number
  bool closed{};             ///< who stands there stays; nobody else comes
};

struct PlacementRegion {
  std::string name;
  std::string pinned;  ///< to this node; "": to none
};

/// By region: a place in `nodes`; nothing: no node takes it, and it holds.
using Placement = std::vector<std::optional<std::size_t>>;

/// How much a node wants a region: the same on every node, whatever else there is.
/// source  Thaler, Ravishankar 1998 (rendezvous hashing)
[[nodiscard]] std::uint64_t rendezvous_score(std::string_view node, std::string_view region);

/// Pinned regions first, to their node or nowhere; then each of the others, in order, to the node
/// that wants it most of those with room. `nodes`: those that live.
[[nodiscard]] Placement place(const std::vector<PlacementRegion>& regions,
                              const std::vector<PlacementNode>& nodes);

/// After nodes came or went: who stands on a node that lives stays there, and only the others are
/// placed. `before`: names of nodes, by region; "": none.
[[nodiscard]] Placement place_again(const std::vector<PlacementRegion>& regions,
                                    const std::vector<PlacementNode>& nodes,
                                    const std::vector<std::string>& before);

}  // namespace esper
