#pragma once
// Which whole layers do so little to what passes them that the host may go on without.
#include <string>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/pruning.hpp"

namespace esper {

struct RedundantLayer {
  std::string layer;
  double importance{};  ///< over the mean of its kind
  double lost{};        ///< share of its kind's whole importance, [0, 1]
};

/// A residual layer is redundant when the stream before and behind it is more alike than
/// layer_similarity_min, its importance over the mean of the layers of its kind is less than
/// layer_importance_max, and another residual layer of its region stays. The least important, over
/// its kind's mean, first; of equals the one that changes the stream least, then the flow's order.
///
/// Numbers from inside zones count for nothing, neither as a candidate's nor in a mean, and where a
/// kind has no importance at all none of it is redundant: nothing is known of it.
/// host      as it was measured
/// measured  each layer at most once, finite numbers
[[nodiscard]] std::vector<RedundantLayer> redundant_layers(
    const HostDescription& host, const std::vector<LayerImportance>& measured,
    const CompactionConfig& config);

}  // namespace esper
