#pragma once
// Importance, plans and surgery at checkpoint boundaries.
#include "messages/budget.hpp"
#include "messages/host.hpp"
#include "messages/scaffold.hpp"

namespace esper {

/// The trainer's announcement of a checkpoint: what importance is measured on.
struct CheckpointReady {
  std::uint64_t checkpoint{};         ///< counted from 1
  Window window;                      ///< that its boundary closed
  std::uint64_t structure_version{};  ///< surgeries and fossilisations so far
  double gate_loss{};                 ///< nats per sample on the gate split, as trained
  double gate_accuracy{};             ///< share correct, [0, 1]; 0 when the loop gives no score
  bool measurable{};                  ///< a copy stands ready for Elesh

  static constexpr auto schema =
      record("CheckpointReady", field("checkpoint", &CheckpointReady::checkpoint),
             field("window", &CheckpointReady::window),
             field("structure_version", &CheckpointReady::structure_version),
             field("gate_loss", &CheckpointReady::gate_loss),
             field("gate_accuracy", &CheckpointReady::gate_accuracy),
             field("measurable", &CheckpointReady::measurable));
};

/// Taylor importance of each channel of one coupled group, and how alive it is.
struct GroupImportance {
  std::string group;               ///< a CoupledGroup of the host's description
  std::vector<double> importance;  ///< squared loss units over the layer's mean, >= 0
  std::vector<double> activity;    ///< RMS of the channel's activations
  bool diagnostics_only{};         ///< measured inside a zone: reaches no plan

  static constexpr auto schema =
      record("GroupImportance", field("group", &GroupImportance::group),
             field("importance", &GroupImportance::importance),
             field("activity", &GroupImportance::activity),
             field("diagnostics_only", &GroupImportance::diagnostics_only));
};

/// How much a whole residual layer matters, and how little it does to what passes it.
struct LayerImportance {
  std::string layer;        ///< a ResidualLayer of the host's description that has not left
  double importance{};      ///< of its branch, squared loss units over the host's mean, >= 0
  double similarity{};      ///< mean cosine of the stream before and behind it, [-1, 1]
  bool diagnostics_only{};  ///< measured inside a zone: reaches no plan

  static constexpr auto schema =
      record("LayerImportance", field("layer", &LayerImportance::layer),
             field("importance", &LayerImportance::importance),
             field("similarity", &LayerImportance::similarity),
             field("diagnostics_only", &LayerImportance::diagnostics_only));
};

struct ImportanceReport {
  std::uint64_t checkpoint{};
  std::uint64_t structure_version{};
  std::uint32_t samples{};
  std::string problem;   ///< why nothing could be measured; "" when it was
  HostDescription host;  ///< as it was measured
  std::vector<GroupImportance> groups;
  std::vector<LayerImportance> layers;

  static constexpr auto schema = record(
      "ImportanceReport", field("checkpoint", &ImportanceReport::checkpoint),
      field("structure_version", &ImportanceReport::structure_version),
      field("samples", &ImportanceReport::samples), field("problem", &ImportanceReport::problem),
      field("host", &ImportanceReport::host), field("groups", &ImportanceReport::groups),
      field("layers", &ImportanceReport::layers));
};

/// The channels of one group that stay.
struct GroupCut {
  std::string group;
  std::vector<std::uint32_t> kept;  ///< ascending

  static constexpr auto schema =
      record("GroupCut", field("group", &GroupCut::group), field("kept", &GroupCut::kept));
};

/// Made for one structure and one state of the zones; stale for any other.
struct PruningPlan {
  std::uint64_t id{};  ///< number of the checkpoint that it was measured at
  std::uint64_t structure_version{}, zone_version{};
  std::vector<GroupCut> cuts;
  std::vector<std::string> layers;  ///< that leave whole
  double importance_lost{};  ///< share of the cut layers' importance, [0, 1]; of whole layers, of
                             ///< all of their kind
  std::uint64_t parameters_saved{}, operations_saved{};
  Price price;

  static constexpr auto schema =
      record("PruningPlan", field("id", &PruningPlan::id),
             field("structure_version", &PruningPlan::structure_version),
             field("zone_version", &PruningPlan::zone_version), field("cuts", &PruningPlan::cuts),
             field("layers", &PruningPlan::layers),
             field("importance_lost", &PruningPlan::importance_lost),
             field("parameters_saved", &PruningPlan::parameters_saved),
             field("operations_saved", &PruningPlan::operations_saved),
             field("price", &PruningPlan::price));
};

/// Why a plan or an order changes nothing.
enum class SurgeryRefusal : std::uint8_t {
  none,
  inside_zone,
  over_allowance,
  stale_structure,
  zone_changed,
  uncoupled,       ///< names a group, channels or a layer that the host's description does not have
  wrong_coupling,  ///< the probe found that the host's description is not true
  too_deep,        ///< leaves less of a layer, or of the host, than it must
  in_crisis,
  not_recovered,  ///< the gate split's loss is still over the best checkpoint's
  too_late,       ///< the learning rate is too low for the host to recover
  region_has_seeds,
  frozen,  ///< a region that a person froze
  old_epoch,
  not_a_checkpoint,  ///< came too late for its boundary
  already_done,
  observe_only,
  harmful,  ///< verified and rolled back
  fault,
};
ESPER_ENUM_NAMES(SurgeryRefusal, "none", "inside_zone", "over_allowance", "stale_structure",
                 "zone_changed", "uncoupled", "wrong_coupling", "too_deep", "in_crisis",
                 "not_recovered", "too_late", "region_has_seeds", "frozen", "old_epoch",
                 "not_a_checkpoint", "already_done", "observe_only", "harmful", "fault");

/// Tamiyo's verdict on a plan.
struct PlanVerdict {
  std::uint64_t plan{};
  SurgeryRefusal refusal{};
  std::string detail;

  static constexpr auto schema =
      record("PlanVerdict", field("plan", &PlanVerdict::plan),
             field("refusal", &PlanVerdict::refusal), field("detail", &PlanVerdict::detail));
};

struct SurgeryOrder {
  PruningPlan plan;
  Epoch epoch;      ///< Tamiyo's
  Window boundary;  ///< the only one at which it may be carried out

  static constexpr auto schema =
      record("SurgeryOrder", field("plan", &SurgeryOrder::plan),
             field("epoch", &SurgeryOrder::epoch), field("boundary", &SurgeryOrder::boundary));
};

/// What became of an order at the step boundary.
struct SurgeryOutcome {
  std::uint64_t plan{};
  SurgeryRefusal refusal{};  ///< none: kept
  std::string detail;
  std::vector<GroupCut> cuts;                  ///< kept: what was cut
  std::vector<std::string> layers;             ///< kept: what left whole
  double loss_before{}, loss_after{};          ///< nats per sample on the gate split
  double accuracy_before{}, accuracy_after{};  ///< share correct
  std::uint64_t parameters_before{}, parameters_after{};
  std::uint64_t operations_before{}, operations_after{};
  std::uint64_t structure_version{};  ///< after

  static constexpr auto schema =
      record("SurgeryOutcome", field("plan", &SurgeryOutcome::plan),
             field("refusal", &SurgeryOutcome::refusal), field("detail", &SurgeryOutcome::detail),
             field("cuts", &SurgeryOutcome::cuts), field("layers", &SurgeryOutcome::layers),
             field("loss_before", &SurgeryOutcome::loss_before),
             field("loss_after", &SurgeryOutcome::loss_after),
             field("accuracy_before", &SurgeryOutcome::accuracy_before),
             field("accuracy_after", &SurgeryOutcome::accuracy_after),
             field("parameters_before", &SurgeryOutcome::parameters_before),
             field("parameters_after", &SurgeryOutcome::parameters_after),
             field("operations_before", &SurgeryOutcome::operations_before),
             field("operations_after", &SurgeryOutcome::operations_after),
             field("structure_version", &SurgeryOutcome::structure_version));
};

/// What Emrakul plans from, besides importance: sent in the turn before a checkpoint's boundary.
struct PlanningTurn {
  Window window;
  std::uint64_t checkpoint{};  ///< that importance was measured at
  Energy allowance;
  ZoneState zones;
  std::vector<RegionId> busy;              ///< with seeds under way: nothing can be cut there
  std::vector<std::string> layers_needed;  ///< whose removal was undone: not to be tried again

  static constexpr auto schema = record(
      "PlanningTurn", field("window", &PlanningTurn::window),
      field("checkpoint", &PlanningTurn::checkpoint), field("allowance", &PlanningTurn::allowance),
      field("zones", &PlanningTurn::zones), field("busy", &PlanningTurn::busy),
      field("layers_needed", &PlanningTurn::layers_needed));
};

/// Emrakul's answer, with Elesh's numbers, which are an input.
struct PruningPart {
  Window window;
  std::optional<ImportanceReport> importance;
  std::optional<PruningPlan> plan;
  std::string reason;  ///< why there is no plan

  static constexpr auto schema =
      record("PruningPart", field("window", &PruningPart::window),
             field("importance", &PruningPart::importance), field("plan", &PruningPart::plan),
             field("reason", &PruningPart::reason));
};

}  // namespace esper
