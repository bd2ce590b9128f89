#pragma once
// COMMIT-1 and ESCAPE-1 over replicas: what each adds to a step's all-reduce, and what all read
// from its sum before they update. The collective is the commit point: no mailbox takes part.
#include <cstdint>
#include <optional>
#include <vector>

namespace esper {

struct CommitShape {
  std::uint32_t regions{};
  std::uint32_t slots{};              ///< structural changes under way at once
  std::uint32_t prepare_ticks_max{};  ///< steps with some but not all ready; then it is aborted
};

enum class ChangeVerdict : std::uint8_t {
  none,   ///< nobody is ready
  wait,   ///< some are
  apply,  ///< all are, with the same plan: now, in this step, everywhere
  abort,  ///< it took too long, or the plans differ
};

struct CommitVerdict {
  bool skip{};               ///< some replica's loss or gradient is not finite: no update anywhere
  std::vector<bool> escape;  ///< by region: alpha to 0 in this very step
  std::vector<ChangeVerdict> changes;  ///< by slot
};

/// One replica's side. Every replica of an epoch of the membership is fed the same sums, so all
/// count and decide alike.
class StructuralCommit {
 public:
  explicit StructuralCommit(const CommitShape& shape);

  /// This replica can apply the plan without fail. `hash`: of the plan and what was prepared.
  /// False: the slot is taken, or that plan, or a later one, was applied or aborted there.
  [[nodiscard]] bool prepare(std::uint32_t slot, std::uint64_t plan, std::uint64_t hash);

  /// What it adds: small whole numbers, whose sums a float holds exactly for up to 16 replicas.
  /// `escape`: by region.
  [[nodiscard]] std::vector<std::uint32_t> word(bool skip, const std::vector<bool>& escape) const;

  /// The sum over `world` replicas. What is applied or aborted is over.
  [[nodiscard]] CommitVerdict read(const std::vector<std::uint32_t>& sum, std::uint32_t world);

  /// The replicas are others now: whatever was under way is aborted. Its plans come back as new
  /// ones.
  void membership_changed();

  /// The plan that this replica is ready for in the slot.
  [[nodiscard]] std::optional<std::uint64_t> ready(std::uint32_t slot) const;

  static constexpr std::uint32_t world_max = 16;

 private:
  struct Slot {
    std::optional<std::uint64_t> plan;  ///< ready for
    std::uint64_t hash{};
    std::uint64_t over{};   ///< the newest plan that was applied or aborted; 0: none
    std::uint32_t ticks{};  ///< steps that some waited; the same on every replica
  };
  void end(Slot& slot);
  [[nodiscard]] ChangeVerdict judge(Slot& slot, const std::uint32_t* sums, std::uint32_t world);

  CommitShape shape_;
  std::vector<Slot> slots_;
};

}  // namespace esper
