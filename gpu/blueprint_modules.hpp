#pragma once
// Blueprints as modules: f of h + a*f(h), shape-preserving.
#include <cstdint>
#include <memory>
#include <optional>

#include <torch/nn/module.h>

#include "messages/blueprint.hpp"

namespace esper {

/// weight x + shift at each position, as f computes it with its statistics at rest.
struct PositionwiseMap {
  torch::Tensor weight;  ///< [channels, channels], float64
  torch::Tensor shift;   ///< [channels], float64; undefined: none
};

/// f of one slot. `forward` keeps the shape, which is as the kind's layout has it.
class SeedModule : public torch::nn::Module {
 public:
  [[nodiscard]] virtual torch::Tensor forward(torch::Tensor input) = 0;
  /// True when `forward` draws random numbers; it is then evaluated on its seed's own stream.
  [[nodiscard]] virtual bool draws() const { return false; }
  /// f as an affine map of the channels at each position; nothing where it is none.
  [[nodiscard]] virtual std::optional<PositionwiseMap> positionwise() const { return {}; }

  /// From now on batch norms read their statistics and never move them, whatever `train` is told.
  void freeze();
  [[nodiscard]] bool frozen() const { return frozen_; }
  void train(bool on = true) override;

 private:
  bool frozen_{};
};

/// Builds f, its weights drawn from `generator`; the global stream is left as it was.
/// Errors: InvariantViolation when the design cannot be built (an even kernel, no channels).
[[nodiscard]] std::shared_ptr<SeedModule> build(const Blueprint& blueprint, std::uint32_t channels,
                                                at::Generator& generator);

}  // namespace esper
