#pragma once
// Attention in which a position sees itself and what came before.
#include <torch/types.h>

namespace esper {

/// queries, keys, values  [sequences, positions, heads x head_channels]
/// returns                the same shape: what each head mixes, scores scaled by 1 / sqrt(channels)
[[nodiscard]] inline torch::Tensor causal_attention(const torch::Tensor& queries,
                                                    const torch::Tensor& keys,
                                                    const torch::Tensor& values,
                                                    std::int64_t head_channels) {
  const auto by_head = [&](const torch::Tensor& all) {
    return all.unflatten(2, {all.size(2) / head_channels, head_channels}).transpose(1, 2);
  };
  return at::scaled_dot_product_attention(by_head(queries), by_head(keys), by_head(values), {},
                                          /*dropout_p=*/0, /*is_causal=*/true)
      .transpose(1, 2)
      .flatten(2);
}

}  // namespace esper
