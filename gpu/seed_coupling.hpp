#pragma once
// Which tensors of a seed's modules its slot's channels run through.
#include <optional>

#include "gpu/seed_slot.hpp"

namespace esper {

struct SeedDimension {
  torch::Tensor tensor;  ///< a parameter or buffer of the module
  std::int64_t dimension{};
};

/// Of one module built from `blueprint`, in every tensor and dimension that has an index per
/// channel of the slot: dimension 0 makes a channel, dimension 1 reads it. Reduced channels inside
/// a design stay. Nothing when the module is not built as its design's kind is, and for
/// kinds of sequences: they stand on a residual stream, which nothing cuts, and their layer norms
/// would take another mean without a channel.
[[nodiscard]] std::optional<std::vector<SeedDimension>> seed_coupling(const Blueprint& blueprint,
                                                                      const SeedModule& module);

/// Multiply-accumulates per sample, forward, of one module as its tensors stand; equal to
/// operations_of(blueprint, …) until it is cut, for a cut keeps the reduced channels.
[[nodiscard]] std::uint64_t seed_operations(const Blueprint& blueprint, const SeedModule& module,
                                            const SlotDescription& slot);

}  // namespace esper
