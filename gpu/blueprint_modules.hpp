#pragma once
// Blueprints as modules: f of h + a*f(h), shape-preserving.
#include <cstdint>
#include <memory>

#include <torch/nn/module.h>

#include "messages/blueprint.hpp"

namespace esper {

/// f of one slot. `forward` keeps the shape [batch, channels, height, width].
class SeedModule : public torch::nn::Module {
 public:
  [[nodiscard]] virtual torch::Tensor forward(torch::Tensor input) = 0;
  /// True when `forward` draws random numbers; it is then evaluated on its seed's own stream.
  [[nodiscard]] virtual bool draws() const { return false; }
};

/// Builds f, its weights drawn from `generator`; the global stream is left as it was.
/// Errors: InvariantViolation when the design cannot be built (an even kernel, no channels).
[[nodiscard]] std::shared_ptr<SeedModule> build(const Blueprint& blueprint, std::uint32_t channels,
                                                at::Generator& generator);

}  // namespace esper
