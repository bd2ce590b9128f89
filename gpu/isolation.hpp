#pragma once
// What keeps passes beside the training pass from being noticed by the host (ISO-1).
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Generator.h>
#include <torch/nn/module.h>

namespace esper {

/// Each takes one guard away, so that a test can see ISO-1 fail without it. All false but in tests.
struct IsolationSwitches {
  bool no_stream_guard{};         ///< RandomStreamScope does nothing
  bool shadow_in_train_mode{};    ///< EvaluationScope does nothing
  bool step_on_zero_gradients{};  ///< gradients_into gives zeros where a loss gave none
};
[[nodiscard]] IsolationSwitches& isolation_switches();

/// Runs a block on its own random stream and puts the global one back bit for bit, also on
/// exceptions. Module constructors, nn::init and dropout take no generator in C++.
/// Two to three microseconds; on the trainer's thread only, for the global stream is one for all.
class RandomStreamScope {
 public:
  explicit RandomStreamScope(at::Generator& own);
  ~RandomStreamScope();
  RandomStreamScope(const RandomStreamScope&) = delete;
  RandomStreamScope& operator=(const RandomStreamScope&) = delete;

 private:
  bool active_;
  at::Generator& own_;
  at::Generator global_;
  at::Tensor saved_;
};

/// Modules in evaluation mode (batch norm reads its statistics, dropout passes) until the end of
/// the block; then every submodule's flag is what it was.
class EvaluationScope {
 public:
  explicit EvaluationScope(const std::vector<torch::nn::Module*>& modules);
  ~EvaluationScope();
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  std::vector<std::pair<torch::nn::Module*, bool>> flags_;  ///< parents before children
};

/// A seed's own generator, the same for the same (run seed, component, index).
[[nodiscard]] at::Generator own_generator(std::uint64_t seed, std::string_view component,
                                          std::uint64_t index);

/// Gradients of `loss` into the .grad of `parameters` alone; nobody else's .grad is touched. A
/// parameter that the loss does not reach gets an undefined gradient, which optimizers pass over.
void gradients_into(const at::Tensor& loss, const std::vector<at::Tensor>& parameters);

}  // namespace esper
