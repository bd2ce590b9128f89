#pragma once
// A host whose loss is a mean over samples and nothing else: no batch norm, no dropout, so that a
// batch taken in shares is the batch taken whole.
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "tests/gpu/test_loop.hpp"

namespace esper {

class SmoothHost final : public HostModel {
 public:
  SmoothHost() : HostModel(described()) {
    conv0_ = root_->register_module("conv0", convolution(2));
    conv1_ = root_->register_module("conv1", convolution(channels));
    head_ = root_->register_module("head", torch::nn::Linear(channels, 4));
  }
  torch::nn::Module& module() override { return *root_; }
  torch::Tensor forward(torch::Tensor images) override {
    const auto x = slot(0)(torch::tanh(conv0_(images)));
    return head_(slot(1)(torch::tanh(conv1_(x)) + x).mean({2, 3}));
  }

 private:
  static constexpr std::int64_t channels = 6;
  static torch::nn::Conv2d convolution(std::int64_t inputs) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(inputs, channels, 3).padding(1));
  }
  static HostDescription described() {
    HostDescription host;
    host.name = "smooth";
    host.regions = {{"lower", {"conv0."}, 114, 3'888}, {"upper", {"conv1.", "head."}, 358, 11'688}};
    host.edges = {{{0}, {1}, false}};
    host.slots = {SlotDescription{"lower.a", {0}, SlotKind::point, "", 6, 6, 6, 11'688, ""},
                  SlotDescription{"upper.a", {1}, SlotKind::point, "", 6, 6, 6, 24, ""}};
    host.parameters = 472;
    host.operations = 15'576;
    return host;
  }
  std::shared_ptr<torch::nn::Module> root_ = std::make_shared<torch::nn::Module>("smooth");
  torch::nn::Conv2d conv0_{nullptr}, conv1_{nullptr};
  torch::nn::Linear head_{nullptr};
};

inline HostUnderTest smooth_host() {
  return {[] { return std::make_unique<SmoothHost>(); }, {2, 6, 6}};
}

}  // namespace esper
