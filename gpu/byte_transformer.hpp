#pragma once
// The host `byte_transformer` in its sizes, as actors/decisions/host_catalogue describes it.
#include "actors/decisions/host_catalogue.hpp"
#include "gpu/host_model.hpp"

namespace esper {

/// A causal language model over bytes: forward takes bytes [sequences, positions] int64, at most
/// `context` positions, and gives each next byte's logits [sequences, positions, 256]. Weights are
/// drawn from LibTorch's global stream.
/// widths   heads and feed-forward units of each block in turn; 0: the block has no such layer
/// dropout  before the head, [0, 1)
[[nodiscard]] std::unique_ptr<HostModel> make_byte_transformer(
    HostDescription description, const TransformerShape& shape,
    const std::vector<std::uint32_t>& widths, double dropout);

}  // namespace esper
