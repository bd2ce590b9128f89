#pragma once
// A training that goes on from a checkpoint, brought to where its journal ends: commands are the
// journal's, at the boundaries recorded there; decisions are made again and compared; nothing is
// appended.
#include <functional>
#include <string>
#include <thread>

#include "actors/turn_replay.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// The trainer told, or the functions decided, other than what stands in the journal.
struct CaughtDifference {
  Window window;
  std::string kind;
  std::uint64_t sequence{};  ///< of the journal's entry; 0: it has none
};

/// Runs beside the trainer from its construction on, until the last turn of `entries` was compared,
/// or `stop`.
class CatchUp {
 public:
  /// `from`: the window at which the trainer stands, 0 at the beginning. `entries`: the whole
  /// journal; its opening must be there. `head_at`: the chain's hash after an entry, which the next
  /// checkpoint keeps; asked here alone. All references outlive it.
  CatchUp(Executor& executor, const RunConfig& config, const HostDescription& host,
          const Catalogue& catalogue, Window from, const std::vector<JournalEntry>& entries,
          const std::function<std::string(std::uint64_t sequence)>& head_at);
  ~CatchUp();
  CatchUp(const CatchUp&) = delete;
  CatchUp& operator=(const CatchUp&) = delete;

  /// Waits for its end. False: it was stopped before.
  bool wait();
  void stop();
  /// After the wait. In lockstep a broken promise; in free pace a late turn may be the cause.
  [[nodiscard]] const std::optional<CaughtDifference>& difference() const { return difference_; }
  [[nodiscard]] std::uint64_t windows() const { return windows_; }

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] bool release_waiting();
  void take(WindowReport told);
  void compare(const WindowReport& told);
  /// Turns before that window: the minds learn them, nobody tells them again.
  void pass_over(Window until);

  Executor& executor_;
  Window from_;
  const std::vector<JournalEntry>& entries_;
  TurnReplay replay_;
  std::vector<ClosedTurn> turns_;
  std::vector<TurnRelease> releases_;
  std::size_t next_release_{}, next_turn_{};
  std::optional<WindowReport> unread_;  ///< of windows that no turn answered, all in one
  CommandEntries commands_;
  std::optional<CaughtDifference> difference_;
  std::uint64_t windows_{};
  bool complete_{};
  std::jthread thread_;
};

}  // namespace esper
