#pragma once
// What modules remember of their weights' shapes: the options of convolutions, norms and linear
// maps, which must follow when channels leave or come back.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace esper {

class LayerOptions {
 public:
  /// Of every submodule, by name.
  explicit LayerOptions(const torch::nn::Module& module);
  /// Into a module of the same structure.
  void put(const torch::nn::Module& module) const;

 private:
  using Options = std::variant<decltype(torch::nn::Conv2dImpl::options),
                               decltype(torch::nn::BatchNorm2dImpl::options),
                               decltype(torch::nn::LinearImpl::options)>;
  std::vector<std::pair<std::string, Options>> options_;
};

/// Makes the options of every submodule those of its weights' shapes. Of grouped convolutions only
/// depthwise ones are understood: their groups are their channels.
void fit_options(const torch::nn::Module& module);

/// A grouped convolution that is not depthwise: it cannot lose single channels.
[[nodiscard]] bool cannot_be_cut(const torch::nn::Module& layer);

}  // namespace esper
