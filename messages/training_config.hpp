#pragma once
// The config keys of the data and of the loop that trains on it.
#include <string>
#include <vector>

#include "messages/schema.hpp"

namespace esper {

/// What befalls a training: it belongs to the trainer, and every arm suffers it alike.
enum class DisturbanceKind : std::uint8_t {
  initial_gain,         ///< a region's weights start multiplied by `amount`
  learning_rate_spike,  ///< the rate is multiplied by `amount` for `steps`
  label_noise,          ///< this share of each batch's labels is drawn anew for `steps`
  weight_damage,  ///< a region's weights gain noise of `amount` times their own deviation, once
};
ESPER_ENUM_NAMES(DisturbanceKind, "initial_gain", "learning_rate_spike", "label_noise",
                 "weight_damage");

struct DisturbanceConfig {
  DisturbanceKind kind{};
  std::string region;       ///< initial_gain, weight_damage
  std::uint64_t at_step{};  ///< counted from 0; initial_gain has none
  std::uint32_t steps{};    ///< learning_rate_spike, label_noise
  double amount{};

  static constexpr auto schema = record(
      "disturbance", field("kind", &DisturbanceConfig::kind),
      field("region", &DisturbanceConfig::region), field("at_step", &DisturbanceConfig::at_step),
      field("steps", &DisturbanceConfig::steps), field("amount", &DisturbanceConfig::amount));
};

struct DataConfig {
  std::string path{"/usr/share/datasets/fashion-mnist"};  ///< the host's own where none is named
  std::uint32_t gate_samples{5'000};                      ///< cut from training
  std::uint32_t training_samples{0};                      ///< 0: all that the gate split leaves
  std::uint32_t test_samples{0};                          ///< 0: all
  bool augment{true};  ///< shifts: images by at most one pixel, sequences by less than their length

  static constexpr auto schema = record(
      "data", field("path", &DataConfig::path), field("gate_samples", &DataConfig::gate_samples),
      field("training_samples", &DataConfig::training_samples),
      field("test_samples", &DataConfig::test_samples), field("augment", &DataConfig::augment));
};

struct TrainingConfig {
  std::uint32_t epochs{4};
  std::uint32_t steps_max{0};  ///< 0: by epochs alone
  std::uint32_t batch{128};
  double learning_rate{3e-3};
  double weight_decay{1e-2};
  double warmup_share{0.05};
  double decay_share{0.3};
  double clip_norm{5};  ///< of the host's gradient; 0: none
  double dropout{0.1};
  std::uint32_t threads{1};  ///< of LibTorch; part of a run's identity
  std::vector<DisturbanceConfig> disturbances;

  static constexpr auto schema =
      record("training", field("epochs", &TrainingConfig::epochs),
             field("steps_max", &TrainingConfig::steps_max), field("batch", &TrainingConfig::batch),
             field("learning_rate", &TrainingConfig::learning_rate),
             field("weight_decay", &TrainingConfig::weight_decay),
             field("warmup_share", &TrainingConfig::warmup_share),
             field("decay_share", &TrainingConfig::decay_share),
             field("clip_norm", &TrainingConfig::clip_norm),
             field("dropout", &TrainingConfig::dropout), field("threads", &TrainingConfig::threads),
             field("disturbances", &TrainingConfig::disturbances));
};

}  // namespace esper
