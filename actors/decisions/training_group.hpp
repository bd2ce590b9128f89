#pragma once
// Which replicas train together, and from whose state. A group has an epoch; a later one takes its
// place when a member is lost or one joins. A group comes about in two rounds over all configured
// nodes: each votes, which means that it takes part in no older group any more, and tells how far
// it is; then a quorum agrees to the group made from the answers. A group's step needs every member
// of it, and a later group is made only when one member of the newest agreed group has left it by
// its vote, or all are known to be over: so two groups never complete steps beside each other,
// whatever messages are lost, late or doubled, and no clock is asked for it.
#include <compare>
#include <optional>

#include "actors/decisions/quorum.hpp"
#include "messages/units.hpp"

namespace esper {

/// How far a replica's state has come. The greater is further: a later group's state stands above
/// any number of steps that members of an earlier one did alone.
struct Progress {
  std::uint64_t epoch{};     ///< of the newest group whose state it took; 0: as launched
  std::uint64_t step{};      ///< completed
  std::uint64_t position{};  ///< batches used, as actors/decisions/shards.hpp counts them
  friend constexpr auto operator<=>(const Progress&, const Progress&) = default;
};

struct Group {
  std::uint64_t epoch{};             ///< 0: none yet
  std::vector<std::string> members;  ///< in the config's order: ranks; the first leads
  std::string source;                ///< the member whose state all take
  Progress from;                     ///< what that state is
  std::vector<Epoch> fences;         ///< by region: the highest that any voter knows
  friend bool operator==(const Group&, const Group&) = default;
};

/// One node's vote for an epoch, and what the new group is made from.
struct Standing {
  std::string node;
  std::uint64_t epoch{};  ///< that it votes for
  Progress progress;      ///< of its replica
  bool restored{};        ///< from a disk: members of the group that wrote it may be further
  bool boundary{};        ///< its replica stands at a window's boundary and no change is under way
  Group newest;           ///< the newest group that it has agreed to
  /// By region: below them its replica carries out no command. On its disk before the step that
  /// raised them is told: a replica that is back from a checkpoint would know older ones.
  std::vector<Epoch> fences;
};

/// What a node must find on its disk when it starts again, written before an answer leaves.
struct GroupMemory {
  std::uint64_t promised{};  ///< newest epoch that it voted for
  Group newest;
};

struct GroupPlan {
  Group group;
  std::string refused;  ///< why there is none; "": there is
};

/// The group that those who voted for `epoch` form. Who trained in the furthest replica's group
/// stays in; other trainers, and those that started again, are admitted when that replica stands at
/// a boundary. Refused without a quorum, and while the newest state may be with a member that is
/// not heard of.
[[nodiscard]] GroupPlan plan_group(const std::vector<Voter>& configured,
                                   const std::vector<Standing>& standings, std::uint64_t epoch,
                                   QuorumRule rule);

/// What is certain to be in the state of any group that comes after, and may be told and acted on:
/// who completed a step knows that every member had completed the one before it.
[[nodiscard]] std::uint64_t settled_step(const Progress& progress);

/// The least epoch above `newest` that is the node's own: no two nodes ask for the same.
/// `place`: of the node in the config. Errors: InvariantViolation for a place outside `nodes`.
[[nodiscard]] std::uint64_t next_epoch(std::uint64_t newest, std::size_t place, std::size_t nodes);

/// The place among the members; nothing: not in.
[[nodiscard]] std::optional<std::uint32_t> rank_in(const Group& group, const std::string& node);

/// What a node is known to be, by its pulses and the failure detector.
struct PeerWord {
  std::string node;
  bool lost{};
  std::uint64_t stands{};  ///< epoch of the group that it takes part in; 0: none
  bool joins{};            ///< it trains, is in no group and has asked to be
};

enum class GroupMove : std::uint8_t {
  go_on,  ///< the group stands
  ask,    ///< this node asks for votes for a new epoch: a member has left
  admit,  ///< so, before the next step begins: others join, and this boundary is where they may
  wait,   ///< for another node that does
  join,   ///< this replica asks to be admitted
  stop,   ///< no quorum is on this side
};

struct GroupAdvice {
  GroupMove move{};
  std::string why;  ///< of a stop, and of asking; "" else
};

/// One node's side, whether it trains or not. A plain value.
class TrainingGroup {
 public:
  /// Errors: InvariantViolation when `self` is not configured.
  TrainingGroup(std::vector<Voter> configured, QuorumRule rule, std::string self,
                GroupMemory memory = {});

  /// The vote for that epoch, by which this node leaves any older group. Nothing: it has voted for
  /// that epoch or a later one. Write `memory()` down before it leaves.
  [[nodiscard]] std::optional<Standing> asked(std::uint64_t epoch,
                                              const std::vector<Epoch>& fences = {});

  /// True: it agrees. False: it voted for a later epoch, or this process not for this one. Write
  /// `memory()` down before the answer leaves.
  [[nodiscard]] bool agree(const Group& group);

  /// A quorum agreed. True: this node is a member and takes the group's state now; once, for
  /// whoever has left does not come back by a word that comes twice. A process that has not agreed
  /// itself stays out, whatever its disk says.
  [[nodiscard]] bool formed(std::uint64_t epoch);

  /// The replica has the group's state, and takes part in its steps.
  void took_state();
  /// A step was completed. `boundary`: as in Standing.
  void completed(std::uint64_t step, std::uint64_t position, bool boundary);
  /// A step of the group failed: the replica takes part in no more of them.
  void leave() { stands_ = 0; }
  /// The replica starts with a checkpoint's state, which is one of a boundary.
  void restored(const Progress& progress);

  /// May the replica contribute to, and complete, a step of that epoch?
  [[nodiscard]] bool stands_in(std::uint64_t epoch) const;
  /// The epoch of the group that it takes part in; 0: none.
  [[nodiscard]] std::uint64_t stands() const;

  /// `peers`: every other configured node.
  [[nodiscard]] GroupAdvice next(const std::vector<PeerWord>& peers) const;

  /// Somebody asks to join: the leader's next boundary begins no change, so that it can be the one
  /// at which they are let in.
  [[nodiscard]] bool joiner_waits(const std::vector<PeerWord>& peers) const;

  [[nodiscard]] const GroupMemory& memory() const { return memory_; }
  [[nodiscard]] const Progress& progress() const { return progress_; }
  [[nodiscard]] const Group& group() const { return memory_.newest; }

 private:
  [[nodiscard]] bool trains() const;
  [[nodiscard]] std::string missing(const std::vector<PeerWord>& peers) const;
  [[nodiscard]] GroupAdvice advise_member(const std::vector<PeerWord>& peers) const;

  std::vector<Voter> configured_;
  QuorumRule rule_;
  std::string self_;
  GroupMemory memory_;
  Progress progress_;
  bool boundary_{true}, restored_{};
  // What this process did, not one before it: the plan counts on what it told then.
  std::uint64_t voted_{}, agreed_{}, taken_{};
  std::uint64_t stands_{};
};

/// The asking node's side of one epoch.
class GroupRound {
 public:
  GroupRound(std::vector<Voter> configured, QuorumRule rule, std::uint64_t epoch)
      : configured_(std::move(configured)), rule_(rule), epoch_(epoch) {}

  /// Votes for other epochs are put aside.
  void answer(Standing standing);
  [[nodiscard]] bool answered(const std::string& node) const;
  /// From the votes so far.
  [[nodiscard]] GroupPlan plan() const {
    return plan_group(configured_, standings_, epoch_, rule_);
  }

  /// The plan was sent for agreement: it changes no more.
  void propose(Group group) { proposed_ = std::move(group); }
  /// That node agreed. True, once: a quorum has, and every member.
  [[nodiscard]] bool agreed(const std::string& node, std::uint64_t epoch);

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const std::optional<Group>& proposed() const { return proposed_; }

 private:
  std::vector<Voter> configured_;
  QuorumRule rule_;
  std::uint64_t epoch_;
  std::vector<Standing> standings_;
  std::vector<Vote> agreements_;
  std::optional<Group> proposed_;
  bool formed_{};
};

}  // namespace esper
