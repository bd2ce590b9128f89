#include "gpu/sequence_modules.hpp"

#include <cmath>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "gpu/causal_attention.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

using torch::Tensor;
using torch::nn::LayerNorm;
using torch::nn::Linear;
using torch::nn::LinearOptions;

/// Born at random, what would be as loud as the stream is half as loud, as designs of images are.
constexpr double random_scale = 0.5;

LayerNorm norm(std::int64_t channels) { return LayerNorm(torch::nn::LayerNormOptions({channels})); }
Linear without_bias(std::int64_t inputs, std::int64_t outputs) {
  return Linear(LinearOptions(inputs, outputs).bias(false));
}

void set_birth(Linear& last, Birth birth) {
  const torch::NoGradGuard no_graph;
  if (birth == Birth::zero)
    for (const Tensor& parameter : last->parameters()) parameter.zero_();
}

class LayerNormalisation : public SeedModule {
 public:
  LayerNormalisation(Birth birth, std::int64_t channels)
      : norm_(register_module("norm", norm(channels))) {
    const torch::NoGradGuard no_graph;
    norm_->weight.fill_(birth == Birth::zero ? 0.0 : random_scale);
  }
  Tensor forward(Tensor input) override { return norm_(input); }

 private:
  LayerNorm norm_;
};

/// Each channel by itself, over the present position and those right before it; nothing stands
/// before the first. As sums of shifted products: the tensors are small, and their channels lie
/// side by side in memory.
class CausalDepthwise : public SeedModule {
 public:
  CausalDepthwise(Birth birth, std::int64_t channels, std::int64_t kernel)
      : norm_(register_module("norm", norm(channels))),
        weight_(register_parameter("weight", torch::zeros({kernel, channels}))) {
    if (birth == Birth::zero) return;
    const torch::NoGradGuard no_graph;
    const double bound = random_scale / std::sqrt(static_cast<double>(kernel));
    weight_.uniform_(-bound, bound);
  }
  Tensor forward(Tensor input) override {
    const std::int64_t kernel = weight_.size(0), positions = input.size(1);
    const Tensor padded = at::constant_pad_nd(norm_(input), {0, 0, kernel - 1, 0});
    Tensor sum = padded.narrow(1, 0, positions) * weight_[0];
    for (std::int64_t i = 1; i < kernel; ++i)
      sum = sum + padded.narrow(1, i, positions) * weight_[i];
    return sum;
  }

 private:
  LayerNorm norm_;
  Tensor weight_;  ///< [kernel, channels], the present position last
};

/// Linear at each position, so that it could be merged into a linear map beside it.
class LowRankAdapter : public SeedModule {
 public:
  LowRankAdapter(Birth birth, std::int64_t channels, std::int64_t reduced)
      : down_(register_module("down", without_bias(channels, reduced))),
        up_(register_module("up", without_bias(reduced, channels))) {
    set_birth(up_, birth);
  }
  Tensor forward(Tensor input) override { return up_(down_(input)); }

 private:
  Linear down_, up_;
};

class FeedForwardAdapter : public SeedModule {
 public:
  FeedForwardAdapter(Birth birth, std::int64_t channels, std::int64_t reduced)
      : norm_(register_module("norm", norm(channels))),
        down_(register_module("down", Linear(channels, reduced))),
        up_(register_module("up", Linear(reduced, channels))) {
    set_birth(up_, birth);
  }
  Tensor forward(Tensor input) override { return up_(torch::gelu(down_(norm_(input)))); }

 private:
  LayerNorm norm_;
  Linear down_, up_;
};

class AttentionHead : public SeedModule {
 public:
  AttentionHead(Birth birth, std::int64_t channels, std::int64_t head_channels)
      : norm_(register_module("norm", norm(channels))),
        query_(register_module("query", without_bias(channels, head_channels))),
        key_(register_module("key", without_bias(channels, head_channels))),
        value_(register_module("value", without_bias(channels, head_channels))),
        out_(register_module("out", without_bias(head_channels, channels))) {
    set_birth(out_, birth);
  }
  Tensor forward(Tensor input) override {
    const Tensor normed = norm_(input);
    return out_(
        causal_attention(query_(normed), key_(normed), value_(normed), value_->weight.size(0)));
  }

 private:
  LayerNorm norm_;
  Linear query_, key_, value_, out_;
};

}  // namespace

std::shared_ptr<SeedModule> build_for_sequences(const Blueprint& blueprint, std::int64_t channels,
                                                std::int64_t reduced) {
  const Birth birth = blueprint.birth;
  switch (blueprint.kind) {
    case BlueprintKind::layer_normalisation:
      return std::make_shared<LayerNormalisation>(birth, channels);
    case BlueprintKind::causal_depthwise:
      return std::make_shared<CausalDepthwise>(birth, channels, blueprint.kernel);
    case BlueprintKind::low_rank_adapter:
      return std::make_shared<LowRankAdapter>(birth, channels, reduced);
    case BlueprintKind::feed_forward_adapter:
      return std::make_shared<FeedForwardAdapter>(birth, channels, reduced);
    case BlueprintKind::attention_head:
      return std::make_shared<AttentionHead>(birth, channels, reduced);
    default:
      throw InvariantViolation("blueprint " + blueprint.name + " is no design of sequences");
  }
}

}  // namespace esper
