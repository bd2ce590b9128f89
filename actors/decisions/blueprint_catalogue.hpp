#pragma once
// The built-in designs and what each costs, by formula. C channels, m reduced channels, k kernel.
#include <vector>

#include "messages/blueprint.hpp"
#include "messages/host.hpp"

namespace esper {

/// One growth design per kind that our library trusts (`plain_convolution` is not among them), then
/// the scaffolds; of images first, then of sequences.
[[nodiscard]] std::vector<Blueprint> built_in_blueprints();

/// The only layout of activations that a kind is built for: it stands in no slot of another.
[[nodiscard]] constexpr Layout layout_of(BlueprintKind kind) {
  return kind >= BlueprintKind::layer_normalisation ? Layout::sequence : Layout::image;
}
/// Is `slot` a place for this design at all?
[[nodiscard]] inline bool fits(const Blueprint& blueprint, const SlotDescription& slot) {
  return layout_of(blueprint.kind) == slot.layout;
}

/// Does the kind have a kernel, or reduced channels?
[[nodiscard]] bool has_kernel(BlueprintKind kind);
[[nodiscard]] bool has_reduction(BlueprintKind kind);

/// May a scaffold of this kind be absorbed into the host's own weights where it stands? Only beside
/// a linear layer, and only a function that is itself linear once its statistics stand still; every
/// other one has to be weaned. Shape and stride are the executor's to check.
[[nodiscard]] constexpr bool foldable(BlueprintKind kind, SlotKind slot) {
  return slot == SlotKind::branch &&
         (kind == BlueprintKind::normalisation || kind == BlueprintKind::low_rank);
}

/// m = max(1, C / reduction); C when the design names no reduction.
[[nodiscard]] std::uint64_t reduced_channels(const Blueprint& blueprint, std::uint64_t channels);

/// Trainable parameters of one module.
///   normalisation 2C; squeeze_excitation 2Cm + m + C; depthwise_separable k²C + C² + 4C;
///   bottleneck 2Cm + k²m² + 4m + 2C; low_rank 2Cm; spatial_depthwise k²C + 2C;
///   plain_convolution k²C² + C; layer_normalisation 2C; causal_depthwise kC + 2C;
///   low_rank_adapter 2Cm; feed_forward_adapter 2Cm + m + 3C; attention_head 4Cm + 2C
[[nodiscard]] std::uint64_t parameters_of(const Blueprint& blueprint, std::uint64_t channels);

/// Multiply-accumulates per sample, forward, of one module on [channels, height, width], or, of a
/// sequence, on height x width positions; one per normalised or scaled element.
[[nodiscard]] std::uint64_t operations_of(const Blueprint& blueprint, std::uint64_t channels,
                                          std::uint64_t height, std::uint64_t width);

/// Bytes held while one module trains in float32: parameters, gradients and AdamW's two moments.
[[nodiscard]] constexpr std::uint64_t training_bytes(std::uint64_t parameters) {
  constexpr std::uint64_t tensors = 4;
  return parameters * tensors * sizeof(float);
}

}  // namespace esper
