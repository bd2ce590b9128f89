#pragma once
// The turn as the journal's actor keeps it: who is in, who is out, when it is complete.
#include <map>
#include <set>
#include <utility>

#include "actors/turn_entries.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// One open turn at a time, collected part by part. A plain value: no actor, no clock.
class TurnBook {
 public:
  /// `time`: which turns are planning turns, those before a checkpoint's boundary, in which Emrakul
  /// answers, too. Without compaction there are none, nor where the checkpoint before was not
  /// measurable.
  TurnBook(std::uint32_t regions, const TimeConfig& time, bool compaction);

  /// Opens the turn unless it is open or committed already.
  void open(const WindowReport& report);
  /// Parts of another window than the open one are stale and ignored, and so are those of an
  /// incarnation older than the one that joined last: its successor was told a past without them.
  void add(const RegionPart& part);
  void add(const PruningPart& part);
  void add(const StrategyPart& part);
  /// No turn waits for that role from now on.
  void leave(Role role, RegionId region, const std::string& reason);
  /// The role takes part from the next turn on (or in the open one, see can_join).
  void join(Role role, RegionId region, Epoch epoch = {});
  /// That incarnation is known to take part.
  void admit(Role role, RegionId region, Epoch epoch);
  /// Enters with the turn that commits next.
  void note(const Restart& restart);

  /// A role that recovers may be answered now: no turn is open, or the open one still counts on it.
  [[nodiscard]] bool can_join(Role role, RegionId region) const;
  /// What to ask Emrakul in the open turn; nothing when it is no planning turn, or answered.
  [[nodiscard]] std::optional<PlanningTurn> planning() const;
  /// All other parts are in and Tamiyo has not answered: what to ask it.
  [[nodiscard]] std::optional<TurnReports> reports() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] bool is_open() const { return turn_.has_value(); }
  [[nodiscard]] const ClosedTurn& turn() const { return *turn_; }
  [[nodiscard]] Window committed() const { return committed_; }
  /// Tamiyo's part of the committed turn, where it took part.
  [[nodiscard]] const std::optional<StrategyPart>& strategy() const { return strategy_; }
  /// Its answers; empty where it did not.
  [[nodiscard]] std::vector<Answers> answers() const {
    return strategy_ ? strategy_->answers : std::vector<Answers>{};
  }

  /// The turn stands in the journal.
  void close();
  /// After a restart of the journal itself: what the store says. `measured`: the newest checkpoint
  /// that a copy was taken of; 0: none.
  void resume(Window committed, std::optional<StrategyPart> strategy, std::uint64_t measured);

 private:
  friend struct StateFields;  // tests' list of all fields

  [[nodiscard]] bool regions_in() const { return awaited_.empty(); }
  [[nodiscard]] bool admitted(Role role, RegionId region, Epoch epoch) const;
  /// The checkpoint whose importance the open turn plans from; 0: it is no planning turn.
  [[nodiscard]] std::uint64_t planned_checkpoint() const;
  [[nodiscard]] bool pruning_in() const;

  std::uint32_t regions_;
  TimeConfig time_;
  bool compaction_;
  std::set<RegionId> present_;                         ///< Narsets that turns wait for
  std::set<RegionId> awaited_;                         ///< of them, in the open turn
  std::map<std::pair<Role, RegionId>, Epoch> epochs_;  ///< of the incarnations that joined last
  bool tamiyo_present_ = true;
  bool emrakul_present_ = true;
  std::optional<ClosedTurn> turn_;
  std::vector<Restart> restarts_;  ///< to be entered with the next commit
  Window committed_;
  std::optional<StrategyPart> strategy_;
  std::uint64_t measured_{};  ///< newest checkpoint that a copy for Elesh was taken of
};

}  // namespace esper
