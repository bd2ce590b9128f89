#include "gpu/blueprint_modules.hpp"

#include <torch/nn/init.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "gpu/isolation.hpp"
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

void set_zero(const Tensor& parameter) {
  torch::NoGradGuard guard;
  parameter.zero_();
}

/// The norm that ends a design says how loud f is born. At 1 it would be louder than the host
/// itself (measured: 1.4 times); at a half it disturbs half as much and learns the rest.
void set_birth(const BatchNorm2d& norm, Birth birth) {
  constexpr double random_scale = 0.5;
  torch::NoGradGuard guard;
  norm->weight.fill_(birth == Birth::zero ? 0.0 : random_scale);
}

class Normalisation : public SeedModule {
 public:
  Normalisation(const Blueprint& blueprint, std::int64_t channels)
      : norm_(register_module("norm", BatchNorm2d(channels))) {
    set_birth(norm_, blueprint.birth);
  }
  Tensor forward(Tensor input) override { return norm_(input); }

 private:
  BatchNorm2d norm_;
};

/// h * tanh(z) of the pooled channels: h + f fades a channel out or doubles it. No ReLU inside:
/// with one or two reduced channels all of them might be dead at birth.
class SqueezeExcitation : public SeedModule {
 public:
  SqueezeExcitation(const Blueprint& blueprint, std::int64_t channels, std::int64_t reduced)
      : squeeze_(register_module("squeeze", same_size(channels, reduced, 1, true))),
        excite_(register_module("excite", same_size(reduced, channels, 1, true))) {
    if (blueprint.birth == Birth::zero) {
      set_zero(excite_->weight);
      set_zero(excite_->bias);
    }
  }
  Tensor forward(Tensor input) override {
    const Tensor pooled = input.mean({2, 3}, /*keepdim=*/true);
    return input * torch::tanh(excite_(torch::silu(squeeze_(pooled))));
  }

 private:
  Conv2d squeeze_, excite_;
};

class DepthwiseSeparable : public SeedModule {
 public:
  DepthwiseSeparable(const Blueprint& blueprint, std::int64_t channels)
      : spatial_(register_module("spatial",
                                 same_size(channels, channels, blueprint.kernel, false, channels))),
        middle_(register_module("middle", BatchNorm2d(channels))),
        mix_(register_module("mix", same_size(channels, channels, 1, false))),
        last_(register_module("last", BatchNorm2d(channels))) {
    set_birth(last_, blueprint.birth);
  }
  Tensor forward(Tensor input) override {
    return last_(mix_(torch::relu(middle_(spatial_(input)))));
  }

 private:
  Conv2d spatial_;
  BatchNorm2d middle_;
  Conv2d mix_;
  BatchNorm2d last_;
};

class Bottleneck : public SeedModule {
 public:
  Bottleneck(const Blueprint& blueprint, std::int64_t channels, std::int64_t reduced)
      : narrow_(register_module("narrow", same_size(channels, reduced, 1, false))),
        first_(register_module("first", BatchNorm2d(reduced))),
        spatial_(register_module("spatial", same_size(reduced, reduced, blueprint.kernel, false))),
        middle_(register_module("middle", BatchNorm2d(reduced))),
        widen_(register_module("widen", same_size(reduced, channels, 1, false))),
        last_(register_module("last", BatchNorm2d(channels))) {
    set_birth(last_, blueprint.birth);
  }
  Tensor forward(Tensor input) override {
    const Tensor narrow = torch::relu(first_(narrow_(input)));
    return last_(widen_(torch::relu(middle_(spatial_(narrow)))));
  }

 private:
  Conv2d narrow_;
  BatchNorm2d first_;
  Conv2d spatial_;
  BatchNorm2d middle_;
  Conv2d widen_;
  BatchNorm2d last_;
};

/// Linear, so that it could be merged into a neighbouring convolution.
class LowRank : public SeedModule {
 public:
  LowRank(const Blueprint& blueprint, std::int64_t channels, std::int64_t reduced)
      : narrow_(register_module("narrow", same_size(channels, reduced, 1, false))),
        widen_(register_module("widen", same_size(reduced, channels, 1, false))) {
    if (blueprint.birth == Birth::zero) set_zero(widen_->weight);
  }
  Tensor forward(Tensor input) override { return widen_(narrow_(input)); }

 private:
  Conv2d narrow_, widen_;
};

class SpatialDepthwise : public SeedModule {
 public:
  SpatialDepthwise(const Blueprint& blueprint, std::int64_t channels)
      : spatial_(register_module("spatial",
                                 same_size(channels, channels, blueprint.kernel, false, channels))),
        norm_(register_module("norm", BatchNorm2d(channels))) {
    set_birth(norm_, blueprint.birth);
  }
  Tensor forward(Tensor input) override { return norm_(spatial_(input)); }

 private:
  Conv2d spatial_;
  BatchNorm2d norm_;
};

class PlainConvolution : public SeedModule {
 public:
  PlainConvolution(const Blueprint& blueprint, std::int64_t channels)
      : mix_(register_module("mix", same_size(channels, channels, blueprint.kernel, true))) {
    if (blueprint.birth == Birth::zero) {
      set_zero(mix_->weight);
      set_zero(mix_->bias);
    }
  }
  Tensor forward(Tensor input) override { return mix_(input); }

 private:
  Conv2d mix_;
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
  switch (blueprint.kind) {
    case BlueprintKind::normalisation:
      return std::make_shared<Normalisation>(blueprint, channels);
    case BlueprintKind::squeeze_excitation:
      return std::make_shared<SqueezeExcitation>(blueprint, channels, reduced);
    case BlueprintKind::depthwise_separable:
      return std::make_shared<DepthwiseSeparable>(blueprint, channels);
    case BlueprintKind::bottleneck:
      return std::make_shared<Bottleneck>(blueprint, channels, reduced);
    case BlueprintKind::low_rank:
      return std::make_shared<LowRank>(blueprint, channels, reduced);
    case BlueprintKind::spatial_depthwise:
      return std::make_shared<SpatialDepthwise>(blueprint, channels);
    case BlueprintKind::plain_convolution:
      return std::make_shared<PlainConvolution>(blueprint, channels);
  }
  throw InvariantViolation("blueprint " + blueprint.name + " has an unknown kind");
}

bool needs_kernel(BlueprintKind kind) {
  return kind == BlueprintKind::depthwise_separable || kind == BlueprintKind::bottleneck ||
         kind == BlueprintKind::spatial_depthwise || kind == BlueprintKind::plain_convolution;
}

}  // namespace

std::shared_ptr<SeedModule> build(const Blueprint& blueprint, std::uint32_t channels,
                                  at::Generator& generator) {
  if (channels == 0) throw InvariantViolation("blueprint " + blueprint.name + ": no channels");
  if (needs_kernel(blueprint.kind) && blueprint.kernel % 2 == 0)
    throw InvariantViolation("blueprint " + blueprint.name + ": its kernel must be odd");
  const RandomStreamScope scope(generator);
  auto module = build_kind(blueprint, channels,
                           static_cast<std::int64_t>(reduced_channels(blueprint, channels)));
  if (blueprint.dropout > 0)
    module = std::make_shared<Dropped>(std::move(module), blueprint.dropout);
  return module;
}

}  // namespace esper
