#pragma once
// Everything as it stood at a graft: weights, buffers, both optimizers, streams, data position.
#include "actors/decisions/reflex.hpp"
#include "gpu/live_seed.hpp"
#include "gpu/session_data.hpp"

namespace esper {

/// What of the session itself goes back with a rollback. Tick and windows never do.
struct SurvivingHistory {
  Step step;
  Reflex reflex;
  /// Fossilisations, foldings and weanings begun so far; never goes back. A checkpoint of another
  /// structure is not restored: its weights belong to another model.
  std::uint64_t structure{};
};

struct GraftCheckpoint {
  struct SeedState {
    SeedId seed;
    std::uint64_t updates{};
    Snapshot state;
  };
  SurvivingHistory history;
  std::uint64_t graft{};  ///< number of the graft, in order of time
  Snapshot host;
  std::vector<SeedState> seeds;
  std::vector<std::uint64_t> position;
};

[[nodiscard]] std::shared_ptr<GraftCheckpoint> take_checkpoint(
    HostModel& host, torch::optim::Optimizer& optimizer, const SeedBed& bed,
    const SessionData& data, const SurvivingHistory& history, std::uint64_t graft);

/// Puts back the host and each seed that stood then and still stands unfossilised. The caller takes
/// care of seeds grafted since. No graph may be alive.
[[nodiscard]] SurvivingHistory restore_checkpoint(GraftCheckpoint& checkpoint, SeedBed& bed,
                                                  const SessionData& data);

/// The host's parameters and buffers, with those of fossilised seeds.
[[nodiscard]] std::vector<torch::Tensor> tensors_of(const torch::nn::Module& module);

}  // namespace esper
