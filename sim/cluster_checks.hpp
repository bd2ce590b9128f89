#pragma once
// The cluster's promises, held after every event by books of their own: none uses the rule that it
// checks.
#include "sim/cluster_replica.hpp"
#include "sim/cluster_shape.hpp"
#include "sim/findings.hpp"

namespace esper::sim::cluster {

class Checks {
 public:
  explicit Checks(const Shape& shape);

  // What replicas do.
  void flagged(std::uint64_t epoch, std::uint64_t step, const std::vector<bool>& escape);
  void completed(NodeId node, const StepDone& done, const ReplicaState& state, bool quorate);
  /// A quorum is said to have agreed to the group. `truth`: what each node has on its disk;
  /// `reached`: how far each member's replica is.
  void formed(const Group& group, const std::vector<GroupMemory>& truth,
              const std::vector<Progress>& reached);
  /// A member stands in the group with this state. `restored`: for the first time since its node
  /// started again. `changing`: its source had a change under way.
  void took(NodeId node, const Group& group, const ReplicaState& state, bool restored,
            bool changing);
  void told(const Report& report);

  // What the control side does.
  void started(RegionId region, Epoch epoch);
  void appended(const std::vector<Entry>& entries, Epoch row);

  /// All faults are over and the run has ended.
  void finish(const std::vector<std::uint64_t>& steps, std::uint64_t healed_step);

  [[nodiscard]] Findings& findings() { return findings_; }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }
  [[nodiscard]] std::uint64_t joined() const { return joined_; }
  [[nodiscard]] std::uint64_t steps() const { return newest_step_; }
  [[nodiscard]] std::uint64_t groups() const { return groups_; }
  [[nodiscard]] std::uint64_t moves() const { return moves_; }
  [[nodiscard]] std::uint64_t takeovers() const { return takeovers_; }

 private:
  struct Done {
    std::uint64_t chain{};
    std::vector<std::uint64_t> applied;
    std::vector<bool> escaped;
  };
  void first_completed(const StepDone& done, const ReplicaState& state);
  void book(const Entry& entry);
  [[nodiscard]] std::int64_t granted(RegionId region, Cycle cycle) const;

  const Shape& shape_;
  Findings findings_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Done> done_;  ///< by epoch and step
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<bool>> flags_;
  std::map<std::uint64_t, Group> formed_;           ///< by epoch, without overtaken ones
  std::vector<std::uint64_t> state_of_;             ///< by node: the group whose state it took last
  std::map<std::uint64_t, std::uint64_t> charged_;  ///< command: step, in the surviving history
  std::uint64_t newest_step_{}, groups_{}, applied_{}, joined_{};
  std::uint64_t told_step_{};
  std::vector<Epoch> told_fences_, started_;
  std::vector<std::uint64_t> last_applied_;  ///< by region: the step

  // The journal's money, in thousandths.
  struct Account {
    std::int64_t open{}, spent{};
    bool is_open{};
  };
  std::map<Cycle, std::int64_t> available_;
  std::map<std::pair<RegionId, Cycle>, Account> accounts_;
  std::uint64_t entries_{}, moves_{}, takeovers_{};
  Epoch newest_prime_;
};

}  // namespace esper::sim::cluster
