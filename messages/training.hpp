#pragma once
// What the trainer announces and what a training run comes to.
#include "messages/telemetry.hpp"

namespace esper {

enum class Mode : std::uint8_t { off, observe, act };
ESPER_ENUM_NAMES(Mode, "off", "observe", "act");

enum class Pace : std::uint8_t { lockstep, free };
ESPER_ENUM_NAMES(Pace, "lockstep", "free");

/// A seed that is part of a finished model: where its design stands.
struct PlantedSeed {
  std::string blueprint;
  SlotId slot;  ///< first of a group
  double alpha{1};
  std::uint32_t born_channels{};  ///< of its slot when it was built: what a cut since has left

  static constexpr auto schema = record(
      "PlantedSeed", field("blueprint", &PlantedSeed::blueprint), field("slot", &PlantedSeed::slot),
      field("alpha", &PlantedSeed::alpha), field("born_channels", &PlantedSeed::born_channels));
};

/// Where a checkpoint cuts a run: a window's boundary, and how far the journal had come there.
struct CheckpointPlace {
  std::uint64_t checkpoint{};  ///< counted from 1
  Window window;               ///< closed by its boundary; turn window - 1 was the last one applied
  Tick tick;
  Step step;
  std::uint64_t run_seed{};
  std::uint64_t journal_sequence{};  ///< last entry of the last turn applied
  std::string journal_head;          ///< the chain's hash there

  static constexpr auto schema =
      record("CheckpointPlace", field("checkpoint", &CheckpointPlace::checkpoint),
             field("window", &CheckpointPlace::window), field("tick", &CheckpointPlace::tick),
             field("step", &CheckpointPlace::step), field("run_seed", &CheckpointPlace::run_seed),
             field("journal_sequence", &CheckpointPlace::journal_sequence),
             field("journal_head", &CheckpointPlace::journal_head));
};

/// What one trained arm (host alone, widened, grown, the grown one's shape from scratch) came to.
struct TrainedModel {
  std::string arm;
  double test_accuracy{};       ///< share correct, [0, 1]; read once, at the end
  double test_loss{};           ///< nats per sample, of sequences per position
  double test_bits_per_byte{};  ///< the same of a text's bytes; 0 of anything else
  double gate_loss{};
  std::uint64_t parameters{};
  std::uint64_t operations{};  ///< multiply-accumulates per sample, forward
  OperationCount training_operations;
  std::uint64_t steps{};
  double latency_batch_seconds{};   ///< median of interleaved forward passes, batch of training
  double latency_single_seconds{};  ///< the same, one sample
  double latency_batch_seconds_min{}, latency_single_seconds_min{};
  double wall_seconds{};
  std::string weights_hash;  ///< SHA-256 over parameters and buffers in name order

  static constexpr auto schema = record(
      "TrainedModel", field("arm", &TrainedModel::arm),
      field("test_accuracy", &TrainedModel::test_accuracy),
      field("test_loss", &TrainedModel::test_loss),
      field("test_bits_per_byte", &TrainedModel::test_bits_per_byte),
      field("gate_loss", &TrainedModel::gate_loss), field("parameters", &TrainedModel::parameters),
      field("operations", &TrainedModel::operations),
      field("training_operations", &TrainedModel::training_operations),
      field("steps", &TrainedModel::steps),
      field("latency_batch_seconds", &TrainedModel::latency_batch_seconds),
      field("latency_single_seconds", &TrainedModel::latency_single_seconds),
      field("latency_batch_seconds_min", &TrainedModel::latency_batch_seconds_min),
      field("latency_single_seconds_min", &TrainedModel::latency_single_seconds_min),
      field("wall_seconds", &TrainedModel::wall_seconds),
      field("weights_hash", &TrainedModel::weights_hash));
};

}  // namespace esper
