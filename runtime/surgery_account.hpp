#pragma once
// What a journal tells about checkpoints, plans and what was cut. Pure.
#include <map>
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "messages/turn.hpp"

namespace esper {

/// One checkpoint, and what was planned from it.
struct CheckpointAccount {
  std::uint64_t checkpoint{};
  Window window;
  double gate_loss{};      ///< nats per sample
  double gate_accuracy{};  ///< share correct
  std::uint64_t embargoed_regions{};
  std::string plan;  ///< made from it: approved, or why there was none

  static constexpr auto schema =
      record("CheckpointAccount", field("checkpoint", &CheckpointAccount::checkpoint),
             field("window", &CheckpointAccount::window),
             field("gate_loss", &CheckpointAccount::gate_loss),
             field("gate_accuracy", &CheckpointAccount::gate_accuracy),
             field("embargoed_regions", &CheckpointAccount::embargoed_regions),
             field("plan", &CheckpointAccount::plan));
};

/// What was measured of one whole layer at one checkpoint.
struct LayerAccount {
  std::uint64_t checkpoint{};
  std::string layer;
  double importance{};  ///< over the mean of the host's layers
  double similarity{};  ///< of what goes in and what comes out, as a cosine
  bool in_zone{};       ///< measured for diagnosis alone

  static constexpr auto schema = record(
      "LayerAccount", field("checkpoint", &LayerAccount::checkpoint),
      field("layer", &LayerAccount::layer), field("importance", &LayerAccount::importance),
      field("similarity", &LayerAccount::similarity), field("in_zone", &LayerAccount::in_zone));
};

/// One order that reached the step boundary.
struct SurgeryAccount {
  std::uint64_t plan{};
  Window window;
  std::string result;  ///< kept, or why not
  std::string cuts;    ///< "conv1 24 -> 16, conv2 …, block1.attention -> none"
  double importance_lost{};
  Energy price;
  double loss_before{}, loss_after{}, accuracy_before{}, accuracy_after{};
  std::uint64_t parameters_before{}, parameters_after{};
  std::uint64_t operations_before{}, operations_after{};

  static constexpr auto schema = record(
      "SurgeryAccount", field("plan", &SurgeryAccount::plan),
      field("window", &SurgeryAccount::window), field("result", &SurgeryAccount::result),
      field("cuts", &SurgeryAccount::cuts),
      field("importance_lost", &SurgeryAccount::importance_lost),
      field("price", &SurgeryAccount::price), field("loss_before", &SurgeryAccount::loss_before),
      field("loss_after", &SurgeryAccount::loss_after),
      field("accuracy_before", &SurgeryAccount::accuracy_before),
      field("accuracy_after", &SurgeryAccount::accuracy_after),
      field("parameters_before", &SurgeryAccount::parameters_before),
      field("parameters_after", &SurgeryAccount::parameters_after),
      field("operations_before", &SurgeryAccount::operations_before),
      field("operations_after", &SurgeryAccount::operations_after));
};

/// Reads entries in sequence order.
class SurgeryAccountant {
 public:
  void take(const JournalEntry& entry);
  [[nodiscard]] const std::vector<CheckpointAccount>& checkpoints() const { return checkpoints_; }
  [[nodiscard]] const std::vector<SurgeryAccount>& surgeries() const { return surgeries_; }
  [[nodiscard]] const std::vector<LayerAccount>& layers() const { return layers_; }

 private:
  void planned(const PruningPart& part);
  void measured(const ImportanceReport& report);
  void strategy(const StrategyPart& part);
  void surgery(const SurgeryOutcome& outcome);
  [[nodiscard]] CheckpointAccount* find(std::uint64_t checkpoint);

  std::map<std::string, std::size_t> widths_;  ///< present channels by group
  std::map<std::uint64_t, PruningPlan> ordered_;
  std::vector<CheckpointAccount> checkpoints_;
  std::vector<SurgeryAccount> surgeries_;
  std::vector<LayerAccount> layers_;
  Window window_;
};

}  // namespace esper
