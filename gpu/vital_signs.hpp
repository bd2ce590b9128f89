#pragma once
// Telemetry's numbers without ATen's dispatch: raw loops over contiguous float32 memory.
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "messages/host.hpp"

namespace esper {

/// Sum of squares, in float lanes so that the loop vectorises without -ffast-math. Non-finite in,
/// non-finite out: squares are never negative, so an infinity cannot cancel.
[[nodiscard]] inline double sum_of_squares(const float* values, std::int64_t count) {
  constexpr std::int64_t lanes = 16;
  float lane[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (std::int64_t k = 0; k < lanes; ++k) lane[k] += values[i + k] * values[i + k];
  double total = 0;
  for (; i < count; ++i) total += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  for (const float sum : lane) total += static_cast<double>(sum);
  return total;
}

/// Finite test by exponent bits: exact, no overflow.
[[nodiscard]] inline bool all_finite(const float* values, std::int64_t count) {
  constexpr std::uint32_t exponent = 0x7f800000U;
  std::uint32_t worst = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(values[i]) & exponent;
    worst = bits > worst ? bits : worst;
  }
  return worst != exponent;
}

/// Sum of squares of a float32 tensor; copies only what is not dense.
[[nodiscard]] double sum_of_squares(const at::Tensor& tensor);
/// sqrt of the mean square; 0 for an empty tensor.
[[nodiscard]] double root_mean_square(const at::Tensor& tensor);
[[nodiscard]] bool all_finite(const at::Tensor& tensor);
/// Euclidean norm over the gradients that are defined.
[[nodiscard]] double gradient_norm(const std::vector<at::Tensor>& parameters);

/// Effective rank of activations: the exponential of the entropy of the normalised squared singular
/// values of [rows, channels], centred, pooled over positions. All memory is taken at construction.
/// source  Roy, Vetterli 2007, on squared singular values
class EffectiveRank {
 public:
  explicit EffectiveRank(std::int64_t channels, std::int64_t rows_max = 128,
                         Layout layout = Layout::image);
  ~EffectiveRank();
  EffectiveRank(EffectiveRank&&) noexcept;
  EffectiveRank& operator=(EffectiveRank&&) noexcept;

  /// activations  [batch, channels, height, width] or [batch, channels], float32; the first
  ///              rows_max samples count. Of sequences [batch, positions, channels]: few samples,
  ///              so that each is pooled over as many stretches of positions as rows_max allows
  /// returns      [1, channels]; 0 for constant activations, as of a region whose signal has died;
  ///              NaN for non-finite ones
  [[nodiscard]] double operator()(const at::Tensor& activations);

 private:
  struct Workspace;
  [[nodiscard]] std::int64_t pool_images(const at::Tensor& dense);
  [[nodiscard]] std::int64_t pool_sequences(const at::Tensor& dense);
  Layout layout_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace esper
