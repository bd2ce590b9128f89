#pragma once
// The replicas that train one model together, as one of them sees them. Each step has one sum: the
// host's gradients in a layout that no seed changes, and behind them a control word, by whose sum
// all judge the step alike.
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "actors/decisions/structural_commit.hpp"
#include "gpu/collective.hpp"
#include "messages/units.hpp"

namespace esper {

class SeedBed;

struct ReplicaShape {
  std::uint32_t regions{};
  std::uint32_t batch{};  ///< samples of one step, of all replicas together
  std::uint64_t seed{};   ///< of the run
};

/// What one replica says of its own share of a step.
struct OwnStep {
  std::uint64_t samples{};
  double loss{};               ///< mean over its samples
  bool not_finite{};           ///< its loss or a gradient
  std::vector<bool> escape{};  ///< by region: a seed's output or gradient is not finite
  bool output_not_finite{};    ///< of the escapes, one is for an output
  bool stop{};                 ///< it is asked to end
  bool orders{};               ///< the leader has orders for all, which follow this sum
};

/// What all of them say together.
struct CommonStep {
  double loss{};  ///< mean over all samples
  bool not_finite{};
  std::vector<bool> escape{};
  bool output_not_finite{}, stop{}, orders{};
};

/// Places [begin, end) of a batch.
struct Rows {
  std::int64_t begin{}, end{};
};

class Replicas {
 public:
  /// Errors: std::runtime_error, one sentence, for more replicas than a batch has samples, or than
  /// a control word counts.
  Replicas(std::unique_ptr<Collective> group, const ReplicaShape& shape);
  ~Replicas();

  [[nodiscard]] std::uint32_t rank() const { return group_->rank(); }
  [[nodiscard]] std::uint32_t world() const { return group_->world(); }
  /// It has the control side beside it, if anyone has.
  [[nodiscard]] bool leads() const { return rank() == 0; }
  /// This replica's share of every batch: all differ by one sample at most.
  [[nodiscard]] Rows own_rows() const;

  /// Every stream that a step draws from begins it at a place that follows from seed, stream, rank
  /// and tick, so that nobody needs another's. `bed` may be null.
  void seed_streams(Tick tick, SeedBed* bed) const;

  // Errors of all below: CollectiveFailed.

  /// parameters  the host's, in the order of its module; their gradients become the mean over all
  ///             samples of all replicas
  [[nodiscard]] CommonStep average_step(const std::vector<at::Tensor>& parameters,
                                        const OwnStep& own);
  /// Gradients of seeds, or of a lesson, in a bucket of their own: the same mean. What has no
  /// gradient adds nothing, and none is made where nobody has one. `numbers` become means, too,
  /// each replica weighed by its samples.
  void average(const std::vector<at::Tensor>& parameters, std::span<double> numbers,
               std::uint64_t samples);
  /// Buffers, floats alone, to their plain mean over replicas; what is equal everywhere stays as it
  /// is, bit for bit. `numbers`: likewise.
  void average_buffers(const std::vector<at::Tensor>& buffers, std::span<double> numbers);
  /// Every replica has the same.
  [[nodiscard]] bool same_everywhere(std::uint64_t hash);
  /// COMMIT-1: true on all replicas when all are ready with the same hash, else on none. `hash`:
  /// nothing, it is not ready.
  [[nodiscard]] bool all_ready(std::optional<std::uint64_t> hash);
  /// Of how many replicas it is true.
  [[nodiscard]] std::uint32_t count(bool true_here);
  /// The leader's, or that of replica `from`, on all.
  [[nodiscard]] std::string from_leader(std::string bytes, std::uint32_t from = 0);

  /// All stop after the same step.
  [[nodiscard]] bool stopping() const { return stopping_; }
  void stop() { stopping_ = true; }
  /// From any thread, as Collective's.
  void abort() noexcept;
  void leave() noexcept { group_->leave(); }

  /// Another group takes the old one's place: whatever was under way there is void.
  /// Errors: as the constructor's.
  void regroup(std::unique_ptr<Collective> group);
  /// From any thread of the leader: somebody waits to be let in. All then form a new group behind
  /// the next boundary.
  void ask_to_regroup() { regroup_asked_.store(true); }
  [[nodiscard]] bool regroup_asked() const { return regroup_asked_.load(); }
  [[nodiscard]] bool regroup_due() const { return regroup_due_; }
  void make_regroup_due() { regroup_due_ = true; }

 private:
  [[nodiscard]] at::Tensor flat(std::int64_t elements);

  void refuse_crowd() const;

  std::mutex group_lock_;  ///< for who aborts while another group comes
  std::unique_ptr<Collective> group_;
  ReplicaShape shape_;
  StructuralCommit commit_;
  std::uint64_t plans_{};
  std::atomic<bool> regroup_asked_{false};
  bool stopping_{}, regroup_due_{};
  at::Tensor flat_;  ///< memory for the host's sums
};

}  // namespace esper
