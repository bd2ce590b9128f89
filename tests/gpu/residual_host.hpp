#pragma once
// A host of residual layers only, described down to its tensors: pixels as positions, two kinds of
// layers in two regions, dropout before its head.
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "gpu/host_model.hpp"

namespace esper {

class ResidualHost final : public HostModel {
 public:
  static constexpr std::uint32_t width = 8, units = 12, positions = 36, layers = 4, classes = 4;

  ResidualHost() : HostModel(described()) {
    stem_ = root_->register_module("stem", torch::nn::Linear(2, width));
    for (std::uint32_t i = 0; i < layers; ++i) {
      const std::string name = "layer" + std::to_string(i);
      const auto add = [&](const std::string& part, std::int64_t inputs, std::int64_t outputs) {
        return root_->register_module(name + part, torch::nn::Linear(inputs, outputs));
      };
      norms_.push_back(root_->register_module(
          name + "norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}))));
      ups_.push_back(add("up", width, units));
      downs_.push_back(add("down", units, width));
    }
    dropout_ = root_->register_module("dropout", torch::nn::Dropout(0.2));
    head_ = root_->register_module("head", torch::nn::Linear(width, classes));
  }
  torch::nn::Module& module() override { return *root_; }
  torch::Tensor forward(torch::Tensor images) override {
    auto stream = slot(0)(stem_(images.flatten(2).transpose(1, 2)));
    for (std::uint32_t i = 0; i < layers; ++i) {
      stream = residual(i, stream, [&](const torch::Tensor& read) {
        const auto inside = ups_[i](norms_[i](read));
        return downs_[i](i % 2 == 0 ? torch::relu(inside) : torch::tanh(inside));
      });
      if (i % 2 == 1) stream = slot(1 + i / 2)(stream);
    }
    return head_(dropout_(stream.mean(1)));
  }

 private:
  static std::uint64_t operations(const TensorDescription& tensor) {
    std::uint64_t elements = 1;
    for (const std::uint32_t size : tensor.shape) elements *= size;
    return elements * tensor.operations_per_element;
  }
  static HostDescription described() {
    HostDescription host;
    host.name = "residual";
    const auto add = [&](const std::string& name, std::vector<std::uint32_t> shape,
                         std::uint64_t each) {
      host.tensors.push_back({name + ".weight", std::move(shape), each});
    };
    const auto add_bias = [&](const std::string& name, std::uint32_t size) {
      host.tensors.push_back({name + ".bias", {size}, 0});
    };
    add("stem", {width, 2}, positions);
    add_bias("stem", width);
    for (std::uint32_t i = 0; i < layers; ++i) {
      const std::string name = "layer" + std::to_string(i);
      const RegionId region{i / 2};
      const std::size_t first = host.tensors.size();
      add(name + "norm", {width}, positions);
      add_bias(name + "norm", width);
      add(name + "up", {units, width}, positions);
      add_bias(name + "up", units);
      add(name + "down", {width, units}, positions);
      add_bias(name + "down", width);
      ResidualLayer layer{name, i % 2 == 0 ? "even" : "odd", region, {}, false};
      for (std::size_t at = first; at < host.tensors.size(); ++at)
        layer.tensors.push_back(host.tensors[at].name);
      host.residual_layers.push_back(layer);
      host.coupled_groups.push_back(
          {name,
           region,
           units,
           {{name + "up.weight", 0, 1}, {name + "up.bias", 0, 1}, {name + "down.weight", 1, 1}},
           {}});
    }
    add("head", {classes, width}, 1);
    add_bias("head", classes);
    host.regions = {{"lower", {"stem.", "layer0", "layer1"}, 0, 0},
                    {"upper", {"layer2", "layer3", "head."}, 0, 0}};
    host.edges = {{{0}, {1}, false}};
    for (std::uint32_t i = 0; i < 3; ++i)
      host.slots.push_back({"slot" + std::to_string(i),
                            {i / 2},
                            SlotKind::point,
                            "",
                            width,
                            positions,
                            1,
                            0,
                            "",
                            Layout::sequence});
    for (const TensorDescription& tensor : host.tensors) {
      const std::uint64_t own = operations(tensor);
      std::uint64_t elements = 1;
      for (const std::uint32_t size : tensor.shape) elements *= size;
      const bool upper = tensor.name.starts_with("head") || tensor.name.starts_with("layer2") ||
                         tensor.name.starts_with("layer3");
      auto& region = host.regions[upper ? 1 : 0];
      region.parameters += elements;
      region.operations += own;
      host.parameters += elements;
      host.operations += own;
      if (!tensor.name.starts_with("stem")) host.slots[0].operations_downstream += own;
      if (upper) host.slots[1].operations_downstream += own;
      if (tensor.name.starts_with("head")) host.slots[2].operations_downstream += own;
    }
    return host;
  }

  std::shared_ptr<torch::nn::Module> root_ = std::make_shared<torch::nn::Module>("residual");
  torch::nn::Linear stem_{nullptr}, head_{nullptr};
  std::vector<torch::nn::LayerNorm> norms_;
  std::vector<torch::nn::Linear> ups_, downs_;
  torch::nn::Dropout dropout_{nullptr};
};

}  // namespace esper
