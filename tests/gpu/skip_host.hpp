#pragma once
// A host of another shape than ours: a long skip past a branch slot, dropout, batch norm.
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>

#include "gpu/host_model.hpp"

namespace esper {

class SkipHost final : public HostModel {
 public:
  SkipHost() : HostModel(described()) {
    norm0_ = root_->register_module("norm0", torch::nn::BatchNorm2d(channels));
    norm1_ = root_->register_module("norm1", torch::nn::BatchNorm2d(channels));
    conv0_ = root_->register_module("conv0", convolution(2));
    conv1_ = root_->register_module("conv1", convolution(channels));
    dropout_ = root_->register_module("dropout", torch::nn::Dropout(0.2));
    head_ = root_->register_module("head", torch::nn::Linear(channels, 4));
  }
  torch::nn::Module& module() override { return *root_; }
  torch::Tensor forward(torch::Tensor images) override {
    const auto x = slot(1)(slot(0)(torch::relu(norm0_(conv0_(images)))));
    return head_(dropout_(slot(3)(torch::relu(norm1_(slot(2)(conv1_(x), x))) + x).mean({2, 3})));
  }

 private:
  static constexpr std::int64_t channels = 6;
  static torch::nn::Conv2d convolution(std::int64_t inputs) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(inputs, channels, 3).padding(1).bias(false));
  }
  static HostDescription described() {
    const auto slot = [](auto name, std::uint32_t region, SlotKind kind, std::uint64_t rest) {
      return SlotDescription{name, {region}, kind, "", 6, 6, 6, rest, ""};
    };
    HostDescription host;
    host.name = "skip";
    host.regions = {{"lower", {"conv0.", "norm0."}, 120, 3'888},
                    {"upper", {"conv1.", "norm1.", "head."}, 364, 11'688}};
    host.edges = {{{0}, {1}, false}, {{0}, {1}, true}};
    host.slots = {
        slot("lower.a", 0, SlotKind::point, 11'688), slot("lower.b", 0, SlotKind::point, 11'688),
        slot("upper.branch", 1, SlotKind::branch, 24), slot("upper.end", 1, SlotKind::point, 24)};
    host.parameters = 484;
    host.operations = 15'576;
    return host;
  }
  std::shared_ptr<torch::nn::Module> root_ = std::make_shared<torch::nn::Module>("skip");
  torch::nn::Conv2d conv0_{nullptr}, conv1_{nullptr};
  torch::nn::BatchNorm2d norm0_{nullptr}, norm1_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
  torch::nn::Linear head_{nullptr};
};

}  // namespace esper
