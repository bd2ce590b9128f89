#pragma once
// Importance, plans and surgery at checkpoint boundaries.
#include "messages/schema.hpp"

namespace esper {

struct PruningAllowance {
  Cycle cycle;
  Energy allowance;
  std::vector<RegionId> embargoed;

  static constexpr auto schema =
      record("PruningAllowance", field("cycle", &PruningAllowance::cycle),
             field("allowance", &PruningAllowance::allowance),
             field("embargoed", &PruningAllowance::embargoed));
};

struct GroupImportance {
  std::string group;             ///< a CoupledGroup of the host's description
  std::vector<double> channels;  ///< squared loss units, over the layer's mean
  bool diagnostics_only{};       ///< measured inside a zone

  static constexpr auto schema =
      record("GroupImportance", field("group", &GroupImportance::group),
             field("channels", &GroupImportance::channels),
             field("diagnostics_only", &GroupImportance::diagnostics_only));
};

struct ImportanceReport {
  std::uint64_t checkpoint{};
  std::vector<GroupImportance> groups;

  static constexpr auto schema =
      record("ImportanceReport", field("checkpoint", &ImportanceReport::checkpoint),
             field("groups", &ImportanceReport::groups));
};

struct GroupCut {
  std::string group;
  std::vector<std::uint32_t> kept;  ///< ascending

  static constexpr auto schema =
      record("GroupCut", field("group", &GroupCut::group), field("kept", &GroupCut::kept));
};

struct PruningPlan {
  std::uint64_t id{}, checkpoint{}, structure_hash{}, zone_version{};
  std::vector<GroupCut> cuts;
  Energy price;

  static constexpr auto schema = record(
      "PruningPlan", field("id", &PruningPlan::id), field("checkpoint", &PruningPlan::checkpoint),
      field("structure_hash", &PruningPlan::structure_hash),
      field("zone_version", &PruningPlan::zone_version), field("cuts", &PruningPlan::cuts),
      field("price", &PruningPlan::price));
};

struct SurgeryOrder {
  PruningPlan plan;
  Epoch epoch;

  static constexpr auto schema = record("SurgeryOrder", field("plan", &SurgeryOrder::plan),
                                        field("epoch", &SurgeryOrder::epoch));
};

struct SurgeryOutcome {
  std::uint64_t plan{};
  bool kept{};
  std::string reason;
  double loss_before{}, loss_after{};

  static constexpr auto schema = record(
      "SurgeryOutcome", field("plan", &SurgeryOutcome::plan), field("kept", &SurgeryOutcome::kept),
      field("reason", &SurgeryOutcome::reason), field("loss_before", &SurgeryOutcome::loss_before),
      field("loss_after", &SurgeryOutcome::loss_after));
};

}  // namespace esper
