#pragma once
// What a checkpoint on disk says beside its tensors: a training's structure and its memory.
#include "actors/decisions/alpha_ramp.hpp"
#include "actors/decisions/reflex.hpp"
#include "gpu/session_memory.hpp"
#include "messages/blueprint.hpp"
#include "messages/host.hpp"
#include "messages/training.hpp"

namespace esper {

/// A seed that stood in the model when the lesson began.
struct StandingSeed {
  SeedId seed;
  double alpha{};

  static constexpr auto schema = record("StandingSeed", field("seed", &StandingSeed::seed),
                                        field("alpha", &StandingSeed::alpha));
};

/// Of the host's optimizer: one group of parameters, in the order of the groups.
struct GroupRecord {
  SeedId seed;                 ///< whose fossilising made it; 0: the loop's own
  std::uint64_t parameters{};  ///< tensors
  double learning_rate{}, beta_first{}, beta_second{}, epsilon{}, weight_decay{};
  bool amsgrad{};

  static constexpr auto schema = record(
      "GroupRecord", field("seed", &GroupRecord::seed),
      field("parameters", &GroupRecord::parameters),
      field("learning_rate", &GroupRecord::learning_rate),
      field("beta_first", &GroupRecord::beta_first),
      field("beta_second", &GroupRecord::beta_second), field("epsilon", &GroupRecord::epsilon),
      field("weight_decay", &GroupRecord::weight_decay), field("amsgrad", &GroupRecord::amsgrad));
};

struct HistoryRecord {
  Step step;
  ReflexHistory reflex;
  std::uint64_t structure{};

  static constexpr auto schema = record("HistoryRecord", field("step", &HistoryRecord::step),
                                        field("reflex", &HistoryRecord::reflex),
                                        field("structure", &HistoryRecord::structure));
};

/// Another seed's part of a hot checkpoint.
struct HotSeed {
  SeedId seed;
  std::uint64_t updates{};

  static constexpr auto schema =
      record("HotSeed", field("seed", &HotSeed::seed), field("updates", &HotSeed::updates));
};

/// The hot checkpoint that was taken at a seed's graft.
struct HotRecord {
  std::uint64_t graft{};
  HistoryRecord history;
  /// The structure is still that of the graft: it may yet be restored, and its tensors stand beside
  /// it. Else it only says that it was there, and when.
  bool whole{};
  std::vector<GroupRecord> groups;
  std::vector<HotSeed> seeds;  ///< that stood then and still do, unfossilised
  std::vector<std::uint64_t> position;

  static constexpr auto schema =
      record("HotRecord", field("graft", &HotRecord::graft), field("history", &HotRecord::history),
             field("whole", &HotRecord::whole), field("groups", &HotRecord::groups),
             field("seeds", &HotRecord::seeds), field("position", &HotRecord::position));
};

/// What a host that is being weaned learns from. Names are those of the live tensors.
struct LessonRecord {
  std::vector<StandingSeed> standing;
  std::vector<std::string> taught;   ///< whose values the teacher has
  std::vector<std::string> anchors;  ///< that are pulled to where they stood

  static constexpr auto schema =
      record("LessonRecord", field("standing", &LessonRecord::standing),
             field("taught", &LessonRecord::taught), field("anchors", &LessonRecord::anchors));
};

/// One seed's part of the structure. Its tensors stand beside it by name. In order of germination.
struct SeedRecord {
  SeedId seed;
  RegionId region;
  Blueprint blueprint;
  std::vector<SlotId> slots;
  std::uint32_t born_channels{};
  Stage stage{};
  double alpha{};
  AlphaRamp ramp;
  Mitigations mitigations;
  std::uint64_t updates{};
  double learning_rate{};  ///< at the schedule's peak
  std::uint64_t operations{};
  double relative_norm{};
  double gradient_norm{};
  std::uint64_t non_finite{};
  bool silenced{};
  bool frozen{};
  GateMeasurement gate;
  std::uint64_t averaged{};  ///< tensors of its running average; 0: none
  std::optional<HotRecord> hot;
  std::optional<LessonRecord> lesson;

  static constexpr auto schema =
      record("SeedRecord", field("seed", &SeedRecord::seed), field("region", &SeedRecord::region),
             field("blueprint", &SeedRecord::blueprint), field("slots", &SeedRecord::slots),
             field("born_channels", &SeedRecord::born_channels), field("stage", &SeedRecord::stage),
             field("alpha", &SeedRecord::alpha), field("ramp", &SeedRecord::ramp),
             field("mitigations", &SeedRecord::mitigations), field("updates", &SeedRecord::updates),
             field("learning_rate", &SeedRecord::learning_rate),
             field("operations", &SeedRecord::operations),
             field("relative_norm", &SeedRecord::relative_norm),
             field("gradient_norm", &SeedRecord::gradient_norm),
             field("non_finite", &SeedRecord::non_finite), field("silenced", &SeedRecord::silenced),
             field("frozen", &SeedRecord::frozen), field("gate", &SeedRecord::gate),
             field("averaged", &SeedRecord::averaged), field("hot", &SeedRecord::hot),
             field("lesson", &SeedRecord::lesson));
};

struct CheckpointManifest {
  std::string torch_version;
  std::string processor;    ///< the instructions that LibTorch chose its kernels by
  std::uint32_t threads{};  ///< of LibTorch: part of a run's identity
  std::string config_hash;  ///< SHA-256 of the run's logical config; "": the loop names none
  CheckpointPlace place;
  HostDescription host;
  std::vector<GroupRecord> groups;
  std::vector<Stage> stages;  ///< by slot
  std::vector<SeedRecord> seeds;
  HistoryRecord history;
  std::vector<std::uint64_t> position, loop;  ///< of the data; the loop's other memory
  std::uint64_t loop_generators{};            ///< that the loop draws from, but the global one
  SessionMemory session;
  BoundaryMemory boundary;
  CheckpointMemory checkpoints;
  TelemetryMemory telemetry;
  ExchangeMemory exchange;

  static constexpr auto schema = record(
      "CheckpointManifest", field("torch_version", &CheckpointManifest::torch_version),
      field("processor", &CheckpointManifest::processor),
      field("threads", &CheckpointManifest::threads),
      field("config_hash", &CheckpointManifest::config_hash),
      field("place", &CheckpointManifest::place), field("host", &CheckpointManifest::host),
      field("groups", &CheckpointManifest::groups), field("stages", &CheckpointManifest::stages),
      field("seeds", &CheckpointManifest::seeds), field("history", &CheckpointManifest::history),
      field("position", &CheckpointManifest::position), field("loop", &CheckpointManifest::loop),
      field("loop_generators", &CheckpointManifest::loop_generators),
      field("session", &CheckpointManifest::session),
      field("boundary", &CheckpointManifest::boundary),
      field("checkpoints", &CheckpointManifest::checkpoints),
      field("telemetry", &CheckpointManifest::telemetry),
      field("exchange", &CheckpointManifest::exchange));
};

}  // namespace esper
