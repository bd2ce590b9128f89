#pragma once
// The hot checkpoint: everything that a bit-identical continuation needs, but for the data position
// and the caller's schedules. Memory is reused from one take to the next.
#include <memory>
#include <utility>
#include <vector>

#include <ATen/core/Generator.h>
#include <torch/optim/adamw.h>

namespace esper {

class Snapshot {
 public:
  /// tensors     parameters and buffers; each parameter once
  /// optimizers  AdamW ones, with all their groups and options
  /// generators  every stream that training draws from, the global one among them
  /// The same optimizers must be alive at `restore`.
  void take(const std::vector<torch::Tensor>& tensors,
            const std::vector<torch::optim::Optimizer*>& optimizers,
            const std::vector<at::Generator>& generators);

  /// Puts all of it back, in place: TensorImpls stay, gradients become undefined. Groups and
  /// moments that these optimizers gained since (a fossilised seed's) are gone from them.
  /// No graph may be alive. Errors: InvariantViolation without a take.
  void restore();

  struct Moments {
    at::TensorImpl* key{};
    std::int64_t step{};
    torch::Tensor first, second, largest;  ///< `largest` only with amsgrad
  };
  /// What it holds of a live tensor, a parameter's moments, a stream, an optimizer: not copied.
  /// Undefined, null, empty: nothing.
  [[nodiscard]] torch::Tensor value_of(const torch::Tensor& live) const;
  [[nodiscard]] const Moments* moments_of(const torch::Tensor& parameter) const;
  [[nodiscard]] torch::Tensor state_of(const at::Generator& generator) const;
  [[nodiscard]] std::vector<torch::optim::OptimizerParamGroup> groups_of(
      const torch::optim::Optimizer& optimizer) const;

  [[nodiscard]] bool taken() const { return taken_; }
  /// Forgets what was taken but keeps the memory.
  void drop() { taken_ = false; }
  /// Of tensors and moments held.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Saved {
    torch::optim::Optimizer* optimizer{};
    std::vector<torch::optim::OptimizerParamGroup> groups;
    std::vector<Moments> moments;
  };
  void take_optimizer(torch::optim::Optimizer& optimizer, Saved& saved);
  static void restore_optimizer(Saved& saved);

  bool taken_{};
  std::size_t bytes_{};
  std::vector<std::pair<torch::Tensor, torch::Tensor>> tensors_;  ///< live, value
  std::vector<Saved> optimizers_;
  std::vector<std::pair<at::Generator, torch::Tensor>> generators_;
};

}  // namespace esper
