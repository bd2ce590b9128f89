#pragma once
// The seam for a tactic of one's own: which of the seeds that a region may plant it wishes for.
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/decisions/random.hpp"
#include "messages/turn.hpp"

namespace esper {

/// A seed that could be planted: a plot is free, no quarantine or embargo stands against it.
struct PlantingChoice {
  std::string_view blueprint;
  SlotId slot;       ///< the first, where a blueprint takes several branches together
  Energy price;      ///< whole, up to the settled seed
  double gain{};     ///< expected, nats per sample on the gate split
  double gain_sd{};  ///< how unsure that is
  double risk{};     ///< r0 of its sheet, [0, 1]
  std::uint64_t parameters{};
};

/// Picks a choice by its place; nothing: the region plants nothing in this window. All else stays
/// as it is: gates, price, lease, lifecycle and isolation hold for what is picked.
/// A pure function of its arguments, so that a restarted Narset and a replay pick alike; what is to
/// be drawn comes from `stream`, the region's own. Errors: a place past the end throws
/// InvariantViolation, which ends the Narset.
using PlantingTactic = std::function<std::optional<std::size_t>(
    const RegionTurn& turn, const std::vector<PlantingChoice>& choices, RandomStream& stream)>;

}  // namespace esper
