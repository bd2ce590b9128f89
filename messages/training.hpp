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
