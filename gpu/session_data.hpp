#pragma once
// What a loop tells its session: settings, and the callbacks that only the loop can answer.
#include <functional>

#include <torch/types.h>

#include "gpu/batch.hpp"
#include "gpu/host_model.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// Logits and targets to the mean loss, nats per sample.
using LossFunction = std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>;

struct SessionData {
  std::function<Batch()> step_batch;  ///< of the present step, augmented as trained on
  /// Of several replicas: what all of them together train on in the present step. Empty: it trains
  /// alone, or its host has no statistics.
  std::function<Batch()> whole_batch;
  std::function<Batch(std::uint32_t)> gate_batch;  ///< so many samples of the gate split
  LossFunction loss;
  std::function<double()> learning_rate_ratio;  ///< present over peak, [0, 1]
  /// Data position, any words; both empty: a rollback then restores state only.
  std::function<std::vector<std::uint64_t>()> position;
  std::function<void(const std::vector<std::uint64_t>&)> set_position;
  /// What else the loop remembers from step to step, any words, for a checkpoint on disk alone;
  /// both empty: nothing.
  std::function<std::vector<std::uint64_t>()> memory;
  std::function<void(const std::vector<std::uint64_t>&)> set_memory;
  std::vector<at::Generator> generators;  ///< drawn from by the loop, but the global one
  std::uint32_t batch_samples{};          ///< per step, of all replicas together
  /// Logits and targets to the share correct, [0, 1]. Empty: surgery is verified by loss alone.
  std::function<double(const at::Tensor&, const at::Tensor&)> score;
  /// A host of the loop's own initial shape, whatever its weights. Empty: importance cannot be
  /// measured on a copy, so nothing is ever cut.
  std::function<std::unique_ptr<HostModel>()> make_host;
};

/// The parts of a run's config that the session reads.
struct SessionSettings {
  std::uint64_t seed{1};
  Mode mode{Mode::act};
  PaceConfig pace;
  TimeConfig time;
  GateConfig gates;
  SeedConfig seeds;
  ScaffoldConfig scaffolds;
  CompactionConfig compaction;
  CheckpointConfig checkpoints;
  LimitConfig limits;
  ReflexConfig reflex;
  DecisionConfig decisions;
  std::vector<Blueprint> blueprints;  ///< what may be germinated
  std::string checkpoints_folder{};   ///< "": none are written
  std::string config_hash{};          ///< a checkpoint with another is refused
  ModuleBuilder builder{build};       ///< makes their modules
  /// What a person should know of the replicas, in sentences; may be empty.
  std::function<void(const std::string&)> tell{};
};

/// What a run's config says to a session. `blueprints`: what may be germinated.
[[nodiscard]] inline SessionSettings session_settings(const RunConfig& config,
                                                      std::vector<Blueprint> blueprints) {
  return {.seed = config.seed,
          .mode = config.mode,
          .pace = config.pace,
          .time = config.time,
          .gates = config.gates,
          .seeds = config.seeds,
          .scaffolds = config.scaffolds,
          .compaction = config.compaction,
          .checkpoints = config.checkpoints,
          .limits = config.limits,
          .reflex = config.reflex,
          .decisions = config.decisions,
          .blueprints = std::move(blueprints),
          .checkpoints_folder = {},
          .config_hash = {},
          .builder = build,
          .tell = {}};
}

enum class StepAdvice : std::uint8_t { proceed, skip };

/// `reason` is a literal: non_finite_output, non_finite_gradient, non_finite_loss, loss_spike.
struct StepVerdict {
  StepAdvice advice{StepAdvice::proceed};
  const char* reason{""};
  [[nodiscard]] bool proceed() const { return advice == StepAdvice::proceed; }
};

}  // namespace esper
