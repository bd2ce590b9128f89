#pragma once
// What befalls a training because its config says so: every arm suffers it alike, and the control
// side is not told. All numbers follow from (seed, disturbance, step), so that a step done again
// after a rollback suffers the same again.
#include "gpu/host_model.hpp"
#include "messages/configuration.hpp"

namespace esper {

class Disturbances {
 public:
  /// Applies the initial gains. classes: labels are in [0, classes).
  /// Errors: std::runtime_error, one sentence, for a region that the host does not have.
  Disturbances(std::vector<DisturbanceConfig> planned, HostModel& host, std::uint64_t seed,
               std::uint64_t classes);

  /// Before the forward pass of `step`: damages weights that are due. Once each; a step tried again
  /// after a skip finds them damaged already.
  void begin_step(std::uint64_t step);
  /// A rollback took the history back: what is due from its next step on is due again.
  void rewind() { rewound_ = true; }
  /// For a checkpoint: what has befallen the training already, in words.
  [[nodiscard]] std::vector<std::uint64_t> memory() const;
  /// Errors: std::runtime_error, one clause, for another number of disturbances.
  void remember(const std::vector<std::uint64_t>& words);
  /// What the rate of `step` is multiplied by.
  [[nodiscard]] double learning_rate_factor(std::uint64_t step) const;
  /// labels [samples], int64; as they are, the same tensor, where nothing disturbs them.
  [[nodiscard]] at::Tensor labels(std::uint64_t step, at::Tensor labels) const;

 private:
  /// Of the region that `disturbance` names: no biases, no norms, no seeds.
  [[nodiscard]] std::vector<at::Tensor> weights_of(const DisturbanceConfig& disturbance);
  void damage(const DisturbanceConfig& disturbance, std::uint64_t index);

  std::vector<DisturbanceConfig> planned_;
  HostModel& host_;
  std::uint64_t seed_, classes_;
  // All that outlives a step: what `memory` tells.
  std::vector<char> damaged_;  ///< by disturbance
  bool rewound_{};
};

}  // namespace esper
