#pragma once
// A host to operate on, described down to its tensors: batch norm, a sum of two layers' channels,
// dropout, and a linear head that reads nine flattened pixels per channel.
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>

#include "gpu/host_model.hpp"

namespace esper {

class SurgeryHost final : public HostModel {
 public:
  SurgeryHost() : HostModel(described()) {
    const auto add = [&](const std::string& number, std::int64_t inputs, std::int64_t stride) {
      auto options = torch::nn::Conv2dOptions(inputs, width, 3).padding(1).stride(stride);
      convolutions_.push_back(
          root_->register_module("conv" + number, torch::nn::Conv2d(options.bias(false))));
      norms_.push_back(root_->register_module("norm" + number, torch::nn::BatchNorm2d(width)));
    };
    add("0", 1, 1);
    add("1", width, 1);
    add("2", width, 2);
    dropout_ = root_->register_module("dropout", torch::nn::Dropout(0.2));
    head_ = root_->register_module("head", torch::nn::Linear(width * 9, 4));
  }
  torch::nn::Module& module() override { return *root_; }
  torch::Tensor forward(torch::Tensor images) override {
    const auto layer = [&](std::size_t i, const torch::Tensor& input) {
      return norms_[i](convolutions_[i](input));
    };
    const auto x = slot(0)(torch::relu(layer(0, images)));
    const auto sum = slot(1)(torch::relu(layer(1, x) + x));
    return head_(dropout_(slot(2)(torch::relu(layer(2, sum))).flatten(1)));
  }

 private:
  static constexpr std::uint32_t width = 8;
  static HostDescription described() {
    HostDescription host;
    host.name = "surgery";
    for (std::uint32_t i = 0; i < 3; ++i) {
      const std::string number = std::to_string(i);
      const std::uint64_t pixels = i < 2 ? 36 : 9;
      host.tensors.push_back(
          {"conv" + number + ".weight", {width, i > 0 ? width : 1, 3, 3}, pixels});
      host.tensors.push_back({"norm" + number + ".weight", {width}, pixels});
      host.tensors.push_back({"norm" + number + ".bias", {width}, 0});
      const std::uint32_t side = i < 2 ? 6 : 3;
      host.slots.push_back(
          {"slot" + number, {i / 2}, SlotKind::point, "", width, side, side, 0, {}});
    }
    host.tensors.push_back({"head.weight", {4, width * 9}, 1});
    host.tensors.push_back({"head.bias", {4}, 0});
    host.regions = {{"lower", {"conv0.", "norm0.", "conv1.", "norm1."}, 0, 0},
                    {"upper", {"conv2.", "norm2.", "head."}, 0, 0}};
    host.edges = {{{0}, {1}, false}};
    for (const TensorDescription& tensor : host.tensors) {
      std::uint64_t elements = 1;
      for (const std::uint32_t size : tensor.shape) elements *= size;
      const std::uint64_t operations = elements * tensor.operations_per_element;
      auto& region = host.regions[tensor.name.find_first_of("2d") == std::string::npos ? 0 : 1];
      region.parameters += elements;
      region.operations += operations;
      host.parameters += elements;
      host.operations += operations;
      for (std::uint32_t slot = 0; slot < 3; ++slot)
        if (tensor.name.starts_with("head") || tensor.name[4] > static_cast<char>('0' + slot))
          host.slots[slot].operations_downstream += operations;
    }
    CoupledGroup trunk{"trunk", {0}, width, {}, {{0}, {1}}}, top{"top", {1}, width, {}, {{2}}};
    const auto makes = [](CoupledGroup& group, const std::string& number) {
      group.dimensions.push_back({"conv" + number + ".weight", 0, 1});
      for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"})
        group.dimensions.push_back({"norm" + number + name, 0, 1});
    };
    makes(trunk, "0");
    makes(trunk, "1");
    trunk.dimensions.push_back({"conv1.weight", 1, 1});
    trunk.dimensions.push_back({"conv2.weight", 1, 1});
    makes(top, "2");
    top.dimensions.push_back({"head.weight", 1, 9});
    host.coupled_groups = {trunk, top};
    return host;
  }
  std::shared_ptr<torch::nn::Module> root_ = std::make_shared<torch::nn::Module>("surgery");
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Dropout dropout_{nullptr};
  torch::nn::Linear head_{nullptr};
};

}  // namespace esper
