#pragma once
// How replicas come together, and come together again when one is lost or a new one waits: through
// tables that they keep, by the rules of actors/decisions/training_group.hpp. Of those who are left
// the first in the order of ranks decides, in its own table, so that no loss takes it with it.
#include <atomic>
#include <map>
#include <mutex>

#include "actors/decisions/training_group.hpp"
#include "gpu/collective.hpp"
#include "gpu/shared_store.hpp"
#include "messages/interfaces.hpp"

namespace esper {

struct GroupPlace {
  std::string node;                   ///< this replica's name
  std::vector<std::string> nodes;     ///< all trainers that are configured, in the order of ranks
  std::vector<std::string> first{};   ///< of these, who is waited for at first; empty: all
  std::string address{"127.0.0.1"};   ///< where others reach this one
  bool leads{};                       ///< all come together at its table at first
  std::uint16_t store_port{};         ///< of the table kept here; 0: any that is free
  std::vector<std::string> stores{};  ///< "HOST:PORT" of tables that the config names; the first is
                                      ///< that of the one that leads
  std::vector<std::string> witnesses{};          ///< configured nodes that do not train
  AskWitnesses ask_witnesses{};                  ///< empty: they give no votes
  std::uint64_t run{};                           ///< as of WitnessQuestion, where it leads
  QuorumRule quorum{QuorumRule::majority};       ///< over trainers and witnesses
  std::chrono::milliseconds collective{10'000};  ///< patience of one call
  /// How long those who are there wait for one of whom nobody knows whether it is lost. A survivor
  /// notices a loss in its next call only: longer than a step.
  std::chrono::milliseconds settle{2'000};
  std::chrono::milliseconds ready{60'000};  ///< until all are there at first, or one is let in
};

/// A group that stands.
struct Formed {
  std::unique_ptr<Collective> collective;
  std::uint32_t source{};  ///< rank of the one whose state all take
};

/// The others went on, or nobody may, without this replica.
struct LeftOut : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a replica writes into the table of the one that decides.
struct StandingWord {
  std::string node, host;
  std::uint32_t port{};   ///< of its own table
  std::uint64_t known{};  ///< newest epoch that it has heard of
  std::uint64_t progress_epoch{}, step{}, position{};
  bool boundary{};
  bool attended{};         ///< a control side is beside it
  std::uint64_t newest{};  ///< epoch of the group that it was in
  std::vector<std::string> members;

  static constexpr auto schema =
      record("StandingWord", field("node", &StandingWord::node), field("host", &StandingWord::host),
             field("port", &StandingWord::port), field("known", &StandingWord::known),
             field("progress_epoch", &StandingWord::progress_epoch),
             field("step", &StandingWord::step), field("position", &StandingWord::position),
             field("boundary", &StandingWord::boundary), field("attended", &StandingWord::attended),
             field("newest", &StandingWord::newest), field("members", &StandingWord::members));
};

/// What it finds there then.
struct GroupWord {
  std::uint64_t epoch{};
  std::vector<std::string> members{}, hosts{};  ///< hosts and ports of the members' own tables
  std::vector<std::uint32_t> ports{};
  std::string source{};
  std::uint64_t progress_epoch{}, step{}, position{};  ///< of the source
  std::uint64_t run{};                                 ///< as of WitnessQuestion
  std::string refused{};                               ///< "": there is a group

  static constexpr auto schema = record(
      "GroupWord", field("epoch", &GroupWord::epoch), field("members", &GroupWord::members),
      field("hosts", &GroupWord::hosts), field("ports", &GroupWord::ports),
      field("source", &GroupWord::source), field("progress_epoch", &GroupWord::progress_epoch),
      field("step", &GroupWord::step), field("position", &GroupWord::position),
      field("run", &GroupWord::run), field("refused", &GroupWord::refused));
};

class ReplicaGroup {
 public:
  /// Reaches the store, which the keeper makes.
  /// Errors: std::runtime_error, one sentence, when it is not there within `ready`.
  explicit ReplicaGroup(GroupPlace place);

  /// All configured replicas, from the run's beginning or a checkpoint.
  /// Errors: LeftOut, one sentence with the names, when one does not come within `ready`.
  [[nodiscard]] Formed form(const Progress& progress);
  /// This replica comes late, or again: it asks those who train to let it in, and waits until they
  /// do. Errors: LeftOut when they have not within `ready`, or it was told to stop; or when it was
  /// in a group and nobody is found to be further: all may stand still, and `reform` is to be tried
  /// again.
  [[nodiscard]] Formed join(const std::atomic<bool>* stop = nullptr);
  /// After a call failed, or when a new replica waits: the next group, of those who are there.
  /// Errors: LeftOut; CollectiveFailed when one more is lost meanwhile: then once more.
  [[nodiscard]] Formed reform(const Progress& progress);
  /// The replicas of this run train already: who comes now may only join.
  [[nodiscard]] bool formed_already() const { return formed_already_; }
  /// Then the newest group of those whose tables the config names. Nothing: none is found.
  [[nodiscard]] const std::optional<GroupWord>& found() const { return found_; }
  /// A control side is beside this replica, or none is: who has one comes first in the ranks.
  void set_attended(bool attended) { attended_ = attended; }
  /// Another's state is to be taken.
  [[nodiscard]] bool behind(const Progress& progress) const {
    return stands_ != group_.progress_epoch || progress.step != group_.step;
  }
  /// It has the state of the group's source, and goes on from there.
  void took_state() { stands_ = group_.epoch; }

  /// Whom a detector knows to be lost: nobody waits for it, until it is let in again. Its own name:
  /// it is to train no more, and the others shall go on without it. From any thread.
  void lost(const std::string& node);
  [[nodiscard]] bool is_lost(const std::string& node) const;
  /// From any thread.
  [[nodiscard]] bool has(const std::string& node) const;
  /// Somebody asks to be let in. Heard by the first of the group alone.
  [[nodiscard]] bool joiner_waits();

  /// The newest group, its members in the order of ranks.
  [[nodiscard]] const GroupWord& group() const { return group_; }
  [[nodiscard]] std::uint16_t port() const { return own_->port(); }

 private:
  using Patience = std::chrono::milliseconds;
  [[nodiscard]] Formed come_together(const GroupWord& group, std::shared_ptr<SharedStore> table);
  /// By the one that keeps `table`. `whole`: nobody is left out, as long as `patience` lasts.
  [[nodiscard]] GroupWord decide(SharedStore& table, const StandingWord& own,
                                 std::vector<std::string> awaited, Patience patience, bool whole);
  /// A table, and whose it is; "": nobody's whose loss would end the call.
  struct Table {
    std::string keeper;
    std::shared_ptr<SharedStore> store;
  };
  /// By the others. Nothing: nobody decided there, its keeper is lost, or it was told to stop.
  [[nodiscard]] std::optional<GroupWord> ask(Table table, const StandingWord& own,
                                             Patience patience,
                                             const std::atomic<bool>* stop = nullptr);
  [[nodiscard]] static std::optional<GroupWord> answer_in(SharedStore& table,
                                                          const StandingWord& own,
                                                          Patience patience,
                                                          const std::atomic<bool>* stop);
  [[nodiscard]] StandingWord standing(const Progress& progress) const;
  /// Null: it is not there. store  "HOST:PORT"
  [[nodiscard]] static std::shared_ptr<SharedStore> find(const std::string& store,
                                                         TablePatience patience);
  /// Of that member. Null as above.
  [[nodiscard]] std::shared_ptr<SharedStore> table_of(const GroupWord& group,
                                                      std::size_t member) const;
  /// Nobody listens any more where its table was.
  [[nodiscard]] bool is_gone(const std::string& node) const;
  /// Of those whose tables are known, the group with the highest epoch. Nothing: none is found.
  [[nodiscard]] std::optional<GroupWord> find_group() const;
  /// From these words; `votes`: what witnesses gave. A later `epoch` than any that was heard of.
  [[nodiscard]] GroupWord plan(const std::vector<StandingWord>& words, std::uint64_t epoch,
                               const std::vector<WitnessAnswer>& votes, QuorumRule rule) const;
  /// With the witnesses' votes where the trainers alone are no quorum.
  [[nodiscard]] GroupWord elect(const std::vector<StandingWord>& words, Patience patience) const;
  [[nodiscard]] std::vector<Voter> voters() const;

  GroupPlace place_;
  std::shared_ptr<SharedStore> own_;    ///< kept here
  std::shared_ptr<SharedStore> table_;  ///< where all come together at first
  bool formed_already_{}, attended_{};
  std::optional<GroupWord> found_;
  GroupWord group_;
  std::uint64_t stands_{};  ///< epoch of the newest group whose state it took
  std::int64_t joins_seen_{};
  std::map<std::string, std::int64_t> answered_;  ///< of the table kept here: standings, by node
  mutable std::mutex lost_lock_;                  ///< also of group_ where another thread reads it
  std::vector<std::string> lost_;
  Table asked_;  ///< by `ask`, now; under the same lock
};

}  // namespace esper
