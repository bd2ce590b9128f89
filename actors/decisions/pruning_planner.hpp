#pragma once
// Emrakul's whole mind: which channels and layers to cut, within the allowance and outside zones.
#include <optional>
#include <string>

#include "messages/configuration.hpp"
#include "messages/pruning.hpp"

namespace esper {

/// What one round leaves of a layer at least: keep_share_min of its channels, rounded up, and one.
/// A share that is no number leaves all.
[[nodiscard]] std::uint32_t least_kept(std::uint32_t channels, const CompactionConfig& config);

/// What all rounds together leave of a host's operations at least: operations_share_min of those at
/// launch, rounded up.
[[nodiscard]] std::uint64_t least_operations(const HostDescription& launched,
                                             const CompactionConfig& config);

/// One planning turn. `importance`: the newest that Elesh measured; `problem`: why it is not the
/// one of this turn's checkpoint, where it is not. Within zones its numbers are marked
/// diagnostics-only in the part and reach no plan.
///
/// Where a whole layer is redundant (layer_redundancy.hpp), was not put back before, holds no seed
/// under way in its regions, can be paid for and leaves least_operations of the host as it was
/// `launched`, it leaves, and nothing else in that round: what is verified is then what it did.
///
/// Else a group outside zones may lose its least important channels (of equals those less alive),
/// down to each multiple of width_multiple that leaves enough channels and enough importance. Cuts
/// are chosen greedily by operations saved per energy, the deeper cut of a group in place of its
/// shallower one, until nothing that saves anything fits the allowance and leaves least_operations.
///
/// A cut is priced as an adaptation on the graph whose risk and relative norm are the share of the
/// group's importance that it loses (the risk at least 0.05), of a whole layer its share of its
/// kind's, downstream from the first tensor of the group or layer. The plan's energy is the sum
/// over its cuts; the other parts of its price are those of the dearest.
[[nodiscard]] PruningPart plan_pruning(const PlanningTurn& turn,
                                       const std::optional<ImportanceReport>& importance,
                                       const std::string& problem, const RunConfig& config,
                                       const HostDescription& launched);

}  // namespace esper
