#pragma once
// One cut of a training at a window boundary, in memory: what a checkpoint on disk holds.
#include "gpu/checkpoint_manifest.hpp"
#include "gpu/graft_checkpoint.hpp"
#include "gpu/safetensors_file.hpp"

namespace esper {

struct CheckpointContent {
  std::string file = "the checkpoint";  ///< that it was read from
  CheckpointManifest manifest;
  /// Names:
  ///   host.NAME                                parameters and buffers, fossilised seeds' among
  ///   them host_optimizer.NAME.{first,second,largest,step}   moments, by parameter
  ///   seed.ID.MEMBER.NAME, seed_optimizer.ID.MEMBER.NAME.…   of a seed that is not fossilised
  ///   average.ID.INDEX                         what an isolated seed is judged by
  ///   generator.{global,loop.INDEX,seed.ID}    states, uint8
  ///   hot.ID.…                                 all of these, as they stood at that seed's graft
  ///   lesson.ID.{teacher,anchor}.…             values of what stands under that name
  std::vector<NamedTensor> tensors;
};

/// Copies everything that trains: training may go on at once. Between two steps, on the trainer's
/// thread. Whose run it is, its place, and what the session's classes remember are left to fill in.
[[nodiscard]] CheckpointContent take_content(HostModel& host, torch::optim::Optimizer& optimizer,
                                             const SeedBed& bed, const SessionData& data,
                                             const SurvivingHistory& history);

}  // namespace esper
