#pragma once
// A training that stands as a checkpoint says, made from one that stands at its run's beginning.
#include "gpu/checkpoint_content.hpp"

namespace esper {

/// What a process must have in common with a checkpoint to go on from it bit for bit.
struct RunIdentity {
  std::uint64_t seed{};
  std::string config_hash;
  std::uint32_t threads{};  ///< of LibTorch
};

/// Errors: std::runtime_error, one clause to put behind the file's name, with the remedy, for a
/// checkpoint of another LibTorch, processor, thread count, seed, config or host. `host`: as it was
/// launched.
void refuse_other_run(const CheckpointManifest& manifest, const RunIdentity& own,
                      const HostDescription& host);

/// The way back to a run's beginning, for `rebuild`: no seed stands in the host, and the optimizer
/// has the loop's own groups alone, of which `groups` tells.
void clear(HostModel& host, torch::optim::Optimizer& optimizer, SeedBed& bed,
           const std::vector<GroupRecord>& groups);

/// Describes and shapes the host anew, plants every seed in its stage, with its optimizer, hot
/// checkpoint and lesson, and puts back all tensors, moments, streams, the data position, the
/// loop's memory and the history. host, optimizer  of the run's beginning, without seeds, whatever
/// their weights Errors: std::runtime_error, one clause to put behind the file's name; all is then
/// of no more use.
void rebuild(const CheckpointContent& content, HostModel& host, torch::optim::Optimizer& optimizer,
             SeedBed& bed, const SessionData& data, const SessionSettings& settings,
             SurvivingHistory& history);

}  // namespace esper
