#include "gpu/blueprint_modules.hpp"

#include <variant>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "gpu/isolation.hpp"
#include "gpu/sequence_modules.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

using torch::Tensor;
using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;

/// Output and input have the same height and width.
Conv2d same_size(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, bool bias,
                 std::int64_t groups = 1) {
  return Conv2d(
      Conv2dOptions(inputs, outputs, kernel).padding(kernel / 2).groups(groups).bias(bias));
}

struct Relu {
  Tensor operator()(const Tensor& input) const { return torch::relu(input); }
};
using Layer = std::variant<Conv2d, BatchNorm2d, Relu>;

/// The layer that ends a design says how loud f is born. A norm at 1 would be louder than the host
/// itself (measured: 1.4 times); at a half it disturbs half as much and learns the rest.
void set_birth(const Layer& last, Birth birth) {
  constexpr double random_scale = 0.5;
  const torch::NoGradGuard no_graph;
  if (const auto* norm = std::get_if<BatchNorm2d>(&last))
    (*norm)->weight.fill_(birth == Birth::zero ? 0.0 : random_scale);
  else if (birth == Birth::zero)
    for (const Tensor& parameter : std::get<Conv2d>(last)->parameters()) parameter.zero_();
}

/// One layer of it. A ReLU is not affine; a wider kernel reads other positions, too.
std::optional<PositionwiseMap> positionwise_layer(const Layer& layer) {
  constexpr auto wide = torch::kFloat64;  // the one subtraction that could cancel
  if (const auto* norm = std::get_if<BatchNorm2d>(&layer)) {
    const auto& held = **norm;
    const Tensor scale =
        held.weight.to(wide) / (held.running_var.to(wide) + held.options.eps()).sqrt();
    return PositionwiseMap{scale.diag(), held.bias.to(wide) - scale * held.running_mean.to(wide)};
  }
  const auto* mix = std::get_if<Conv2d>(&layer);
  if (mix == nullptr) return {};
  const Tensor& weight = (*mix)->weight;
  if (weight.size(2) != 1 || weight.size(3) != 1 || (*mix)->options.groups() != 1) return {};
  const Tensor& bias = (*mix)->bias;
  return PositionwiseMap{weight.flatten(1).to(wide), bias.defined() ? bias.to(wide) : Tensor{}};
}

/// Layers one after the other, as most designs are.
class Chain : public SeedModule {
 public:
  Chain(Birth birth, std::vector<Layer> layers) : layers_(std::move(layers)) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (const auto* mix = std::get_if<Conv2d>(&layers_[i]))
        register_module("convolution" + std::to_string(i), *mix);
      else if (const auto* norm = std::get_if<BatchNorm2d>(&layers_[i]))
        register_module("norm" + std::to_string(i), *norm);
    }
    set_birth(layers_.back(), birth);
  }
  Tensor forward(Tensor input) override {
    for (Layer& layer : layers_)
      input = std::visit([&](auto& apply) { return apply(input); }, layer);
    return input;
  }
  std::optional<PositionwiseMap> positionwise() const override {
    const torch::NoGradGuard no_graph;
    PositionwiseMap map;
    for (const Layer& layer : layers_) {
      const auto next = positionwise_layer(layer);
      if (!next) return {};
      Tensor shift = next->shift;
      if (map.shift.defined()) {
        const Tensor carried = torch::mv(next->weight, map.shift);
        shift = shift.defined() ? shift + carried : carried;
      }
      map = {map.weight.defined() ? torch::mm(next->weight, map.weight) : next->weight, shift};
    }
    return map;
  }

 private:
  std::vector<Layer> layers_;
};

/// h * tanh(z) of the pooled channels: h + f fades a channel out or doubles it. No ReLU inside:
/// with one or two reduced channels all of them might be dead at birth.
class SqueezeExcitation : public SeedModule {
 public:
  SqueezeExcitation(const Blueprint& blueprint, std::int64_t channels, std::int64_t reduced)
      : squeeze_(register_module("squeeze", same_size(channels, reduced, 1, true))),
        excite_(register_module("excite", same_size(reduced, channels, 1, true))) {
    set_birth(excite_, blueprint.birth);
  }
  Tensor forward(Tensor input) override {
    const Tensor pooled = input.mean({2, 3}, /*keepdim=*/true);
    return input * torch::tanh(excite_(torch::silu(squeeze_(pooled))));
  }

 private:
  Conv2d squeeze_, excite_;
};

/// Dropout behind any f. torch's own takes no generator, so it draws and `draws` says so.
class Dropped : public SeedModule {
 public:
  Dropped(std::shared_ptr<SeedModule> inner, double share)
      : inner_(register_module("inner", std::move(inner))),
        dropout_(register_module("dropout", torch::nn::Dropout(share))) {}
  Tensor forward(Tensor input) override { return dropout_(inner_->forward(std::move(input))); }
  bool draws() const override { return is_training(); }

 private:
  std::shared_ptr<SeedModule> inner_;
  torch::nn::Dropout dropout_;
};

std::shared_ptr<SeedModule> build_kind(const Blueprint& blueprint, std::int64_t channels,
                                       std::int64_t reduced) {
  const auto chain = [&](std::vector<Layer> layers) {
    return std::make_shared<Chain>(blueprint.birth, std::move(layers));
  };
  const std::int64_t kernel = blueprint.kernel;
  switch (blueprint.kind) {
    case BlueprintKind::normalisation:
      return chain({BatchNorm2d(channels)});
    case BlueprintKind::squeeze_excitation:
      return std::make_shared<SqueezeExcitation>(blueprint, channels, reduced);
    case BlueprintKind::depthwise_separable:
      return chain({same_size(channels, channels, kernel, false, channels), BatchNorm2d(channels),
                    Relu{}, same_size(channels, channels, 1, false), BatchNorm2d(channels)});
    case BlueprintKind::bottleneck:
      return chain({same_size(channels, reduced, 1, false), BatchNorm2d(reduced), Relu{},
                    same_size(reduced, reduced, kernel, false), BatchNorm2d(reduced), Relu{},
                    same_size(reduced, channels, 1, false), BatchNorm2d(channels)});
    case BlueprintKind::low_rank:  // linear, so that it could be merged into a convolution beside
                                   // it
      return chain(
          {same_size(channels, reduced, 1, false), same_size(reduced, channels, 1, false)});
    case BlueprintKind::spatial_depthwise:
      return chain({same_size(channels, channels, kernel, false, channels), BatchNorm2d(channels)});
    case BlueprintKind::plain_convolution:
      return chain({same_size(channels, channels, kernel, true)});
    default:
      break;
  }
  throw InvariantViolation("blueprint " + blueprint.name + " has an unknown kind");
}

}  // namespace

void SeedModule::freeze() {
  frozen_ = true;
  train(is_training());
}

void SeedModule::train(bool on) {
  torch::nn::Module::train(on);
  if (!frozen_) return;
  for (const auto& module : modules(/*include_self=*/false))
    if (module->as<torch::nn::BatchNorm2d>() != nullptr) module->eval();
}

std::shared_ptr<SeedModule> build(const Blueprint& blueprint, std::uint32_t channels,
                                  at::Generator& generator) {
  if (channels == 0) throw InvariantViolation("blueprint " + blueprint.name + ": no channels");
  const bool of_sequences = layout_of(blueprint.kind) == Layout::sequence;
  if (has_kernel(blueprint.kind) && blueprint.kernel % 2 == 0 && !of_sequences)
    throw InvariantViolation("blueprint " + blueprint.name + ": its kernel must be odd");
  if (has_kernel(blueprint.kind) && blueprint.kernel == 0)
    throw InvariantViolation("blueprint " + blueprint.name + ": it needs a kernel");
  const RandomStreamScope scope(generator);
  const auto reduced = static_cast<std::int64_t>(reduced_channels(blueprint, channels));
  auto module = of_sequences ? build_for_sequences(blueprint, channels, reduced)
                             : build_kind(blueprint, channels, reduced);
  if (blueprint.dropout > 0)
    module = std::make_shared<Dropped>(std::move(module), blueprint.dropout);
  return module;
}

}  // namespace esper
