#pragma once
// A trainer without tensors: its state is a chain of hashes over what was applied and which samples
// were used. What a joiner is given is all of it.
#include <set>

#include "actors/decisions/structural_commit.hpp"
#include "sim/cluster_messages.hpp"
#include "sim/digest.hpp"

namespace esper::sim::cluster {

constexpr std::uint32_t regions = 4, slots = 2, prepare_ticks_max = 6;
constexpr std::uint64_t window_steps = 5, cycle_windows = 12;
constexpr DataShape data{12, 10};

[[nodiscard]] inline Window window_after(std::uint64_t step) { return {step / window_steps}; }
[[nodiscard]] inline Cycle cycle_of(Window window) {
  return {(std::max<std::uint64_t>(window.value, 1) - 1) / cycle_windows + 1};
}
[[nodiscard]] inline bool ends_window(std::uint64_t step) { return step % window_steps == 0; }

/// Structural changes under way, the same on every replica; which of them this replica is ready for
/// stands in `commit`.
struct Pending {
  Command command;
  std::uint64_t plan{};
  std::uint32_t unready{};  ///< steps in which no replica was ready
};

struct ReplicaState {
  Digest chain;
  std::uint64_t step{}, position{};
  StructuralCommit commit{CommitShape{regions, slots, prepare_ticks_max}};
  std::array<std::optional<Pending>, slots> pending;
  std::uint64_t plans{};
  std::vector<Epoch> fences = std::vector<Epoch>(regions);
  struct Known {
    bool applied{};
    Window until;
  };
  std::map<std::uint64_t, Known> outcomes;  ///< by command; forgotten after its lease
  std::map<std::pair<RegionId, Cycle>, std::int64_t> spent;
  std::vector<std::uint8_t> used;  ///< of the present epoch's samples, as contributions say

  [[nodiscard]] bool changing() const;
};

/// What a step did, for the checkers.
struct StepDone {
  std::uint64_t epoch{}, step{};
  bool skipped{};
  std::vector<bool> escaped;
  std::vector<Command> applied;
  std::string broken;  ///< a promise that the replica itself saw break
};

/// All contributions of one step are here, by rank: the state after it.
StepDone complete_step(ReplicaState& state, const std::vector<const Contribution*>& parts);

/// Changes under way are over: the members are others, or the state comes from a checkpoint.
void end_changes(ReplicaState& state);

/// The state is the new group's now.
void regroup(ReplicaState& state, const Group& group);

}  // namespace esper::sim::cluster
