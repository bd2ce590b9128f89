#pragma once
// The turn as the journal's actor keeps it: who is in, who is out, when it is complete.
#include <set>
#include <utility>

#include "actors/turn_entries.hpp"

namespace esper {

/// One open turn at a time, collected part by part. A plain value: no actor, no clock.
class TurnBook {
 public:
  explicit TurnBook(std::uint32_t regions);

  /// Opens the turn unless it is open or committed already.
  void open(const WindowReport& report);
  /// Parts of another window than the open one are stale and ignored.
  void add(const RegionPart& part);
  void add(const StrategyPart& part);
  /// No turn waits for that role from now on.
  void leave(Role role, RegionId region, const std::string& reason);
  /// The role takes part from the next turn on (or in the open one, see can_join).
  void join(Role role, RegionId region);
  /// Enters with the turn that commits next.
  void note(const Restart& restart);

  /// A role that recovers may be answered now: no turn is open, or the open one still counts on it.
  [[nodiscard]] bool can_join(Role role, RegionId region) const;
  /// All present regions' reports are in and Tamiyo has not answered: what to ask it.
  [[nodiscard]] std::optional<TurnReports> reports() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] bool is_open() const { return turn_.has_value(); }
  [[nodiscard]] const ClosedTurn& turn() const { return *turn_; }
  [[nodiscard]] Window committed() const { return committed_; }
  [[nodiscard]] const std::vector<Answers>& answers() const { return answers_; }

  /// The turn stands in the journal.
  void close();
  /// After a restart of the journal itself: what the store says.
  void resume(Window committed, std::vector<Answers> answers);

 private:
  [[nodiscard]] bool regions_in() const;

  std::uint32_t regions_;
  std::set<RegionId> present_;  ///< Narsets that turns wait for
  bool tamiyo_present_ = true;
  std::optional<ClosedTurn> turn_;
  std::vector<Restart> restarts_;  ///< to be entered with the next commit
  Window committed_;
  std::vector<Answers> answers_;
};

}  // namespace esper
