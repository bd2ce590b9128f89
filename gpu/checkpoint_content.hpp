#pragma once
// One cut of a training at a window boundary, in memory: what a checkpoint on disk holds.
#include "gpu/graft_checkpoint.hpp"
#include "gpu/weaning.hpp"
#include "messages/host.hpp"
#include "messages/training.hpp"

namespace esper {

/// One seed's part of the structure. Its tensors stand beside it by name.
struct SeedRecord {
  SeedId seed;
  RegionId region;
  Blueprint blueprint;
  std::vector<SlotId> slots;
  Stage stage{};
  AlphaRamp ramp;
  Mitigations mitigations;
  std::uint64_t updates{};
  double learning_rate{};  ///< at the schedule's peak
  double relative_norm{};
  double gradient_norm{};
  bool silenced{};
  bool frozen{};
  std::uint64_t averaged{};          ///< tensors of its running average; 0: none
  std::vector<StandingSeed> lesson;  ///< weaning: the seeds of its teacher
  std::uint64_t lesson_tensors{};    ///< 0: no lesson

  static constexpr auto schema = record(
      "SeedRecord", field("seed", &SeedRecord::seed), field("region", &SeedRecord::region),
      field("blueprint", &SeedRecord::blueprint), field("slots", &SeedRecord::slots),
      field("stage", &SeedRecord::stage), field("ramp", &SeedRecord::ramp),
      field("mitigations", &SeedRecord::mitigations), field("updates", &SeedRecord::updates),
      field("learning_rate", &SeedRecord::learning_rate),
      field("relative_norm", &SeedRecord::relative_norm),
      field("gradient_norm", &SeedRecord::gradient_norm), field("silenced", &SeedRecord::silenced),
      field("frozen", &SeedRecord::frozen), field("averaged", &SeedRecord::averaged),
      field("lesson", &SeedRecord::lesson), field("lesson_tensors", &SeedRecord::lesson_tensors));
};

/// Where a cut stands, as far as the trainer's tensors don't say.
struct CheckpointPlace {
  std::uint64_t checkpoint{};  ///< counted from 1
  Window window;
  Tick tick;
  std::uint64_t run_seed{};
  std::uint64_t grafts{};            ///< so far
  std::uint64_t journal_sequence{};  ///< of the last entry acknowledged before the cut
  std::string journal_head;          ///< its hash

  static constexpr auto schema = record(
      "CheckpointPlace", field("checkpoint", &CheckpointPlace::checkpoint),
      field("window", &CheckpointPlace::window), field("tick", &CheckpointPlace::tick),
      field("run_seed", &CheckpointPlace::run_seed), field("grafts", &CheckpointPlace::grafts),
      field("journal_sequence", &CheckpointPlace::journal_sequence),
      field("journal_head", &CheckpointPlace::journal_head));
};

struct CheckpointManifest {
  std::string torch_version;
  std::uint32_t threads{};  ///< of LibTorch: part of a run's identity
  CheckpointPlace place;
  Step step;
  std::uint64_t structure_version{};
  HostDescription host;
  std::vector<SeedRecord> seeds;        ///< in order of germination
  std::vector<std::uint64_t> position;  ///< of the data
  std::uint64_t loop_generators{};      ///< that the loop draws from, but the global one
  ReflexHistory reflex;

  static constexpr auto schema =
      record("CheckpointManifest", field("torch_version", &CheckpointManifest::torch_version),
             field("threads", &CheckpointManifest::threads),
             field("place", &CheckpointManifest::place), field("step", &CheckpointManifest::step),
             field("structure_version", &CheckpointManifest::structure_version),
             field("host", &CheckpointManifest::host), field("seeds", &CheckpointManifest::seeds),
             field("position", &CheckpointManifest::position),
             field("loop_generators", &CheckpointManifest::loop_generators),
             field("reflex", &CheckpointManifest::reflex));
};

/// Names:
///   host.NAME                                parameters and buffers, fossilised seeds' among them
///   host_optimizer.NAME.{first,second,largest,step}   moments, by parameter
///   seed.ID.MEMBER.NAME, seed_optimizer.ID.MEMBER.NAME.…   of a seed that is not fossilised
///   average.ID.INDEX, lesson.ID.INDEX        what an isolated seed, a weaned host is judged by
///   generator.{global,loop.INDEX,seed.ID}    states, uint8
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

struct CheckpointContent {
  CheckpointManifest manifest;
  std::vector<NamedTensor> tensors;
};

/// Copies everything: training may go on at once. Between two steps, on the trainer's thread.
[[nodiscard]] CheckpointContent take_content(HostModel& host, torch::optim::Optimizer& optimizer,
                                             const SeedBed& bed, const SessionData& data,
                                             const SurvivingHistory& history,
                                             const CheckpointPlace& place);

/// Puts tensors, moments, streams, data position and history back, in place, where the same
/// structure stands already: the same seeds in the same stages. Empty: done. Else one sentence, and
/// nothing was changed: what is missing, left over or of another shape.
[[nodiscard]] std::string put_back(const CheckpointContent& content, HostModel& host,
                                   torch::optim::Optimizer& optimizer, SeedBed& bed,
                                   const SessionData& data, SurvivingHistory& history);

}  // namespace esper
