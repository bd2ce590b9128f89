#pragma once
// What an isolated seed is judged and grafted by: the running average of its weights.
//
// The host moves while a seed learns beside it, and at a constant learning rate it swings about
// its course. The seed's latest weights answer the host's latest swing, which the host itself takes
// back in the next steps; their average answers the course. (Measured: judged by its latest weights
// a seed's gain on held-back data swings by 0.05 nats from window to window, together with that of
// every other seed on trial, and is below 0 more often than above.)
// source  Polyak, Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace esper {

class WeightAverage {
 public:
  /// Takes in the weights as they stand after `updates` updates, counted from 1: the plain mean at
  /// first, then an exponential one over about fifty updates.
  void take(const std::vector<at::Tensor>& parameters, std::uint64_t updates);
  /// Weights and average change places; twice is as never. Nothing before the first `take`.
  void exchange(const std::vector<at::Tensor>& parameters);
  /// The weights become their average, which is then forgotten.
  void settle(const std::vector<at::Tensor>& parameters);

  /// From a checkpoint.
  void put(std::vector<at::Tensor> averages) { averages_ = std::move(averages); }
  /// For a checkpoint. Empty before the first `take`.
  [[nodiscard]] const std::vector<at::Tensor>& tensors() const { return averages_; }

 private:
  std::vector<at::Tensor> averages_;
};

}  // namespace esper
