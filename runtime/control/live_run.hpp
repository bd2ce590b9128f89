#pragma once
// One living run as its control socket sees it. Safe from any thread.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "actors/override_desk.hpp"
#include "messages/configuration.hpp"
#include "messages/interfaces.hpp"
#include "messages/result.hpp"
#include "runtime/control/control_protocol.hpp"
#include "runtime/control/run_status.hpp"

namespace esper {

/// RunStatus with what no journal tells.
struct LiveStatus {
  std::string name;
  std::uint64_t seed{};
  Mode mode{};
  Pace pace{};
  std::uint64_t process{};  ///< its number; 0: it does not run
  std::string arm;          ///< that is being trained
  Step step, steps;
  double loss{};
  RunStatus run;
  std::vector<std::string> breakers;  ///< that stand open, by role

  static constexpr auto schema =
      record("LiveStatus", field("name", &LiveStatus::name), field("seed", &LiveStatus::seed),
             field("mode", &LiveStatus::mode), field("pace", &LiveStatus::pace),
             field("process", &LiveStatus::process), field("arm", &LiveStatus::arm),
             field("step", &LiveStatus::step), field("steps", &LiveStatus::steps),
             field("loss", &LiveStatus::loss), field("run", &LiveStatus::run),
             field("breakers", &LiveStatus::breakers));
};

class LiveRun {
 public:
  /// `breakers`: names of those that stand open, now.
  LiveRun(const RunConfig& config, std::function<std::vector<std::string>()> breakers);

  /// Entries that stand in the journal from now on.
  void appended(const std::vector<JournalEntry>& entries);
  void trains(const std::string& arm, const TrainingProgress& progress);
  /// The part of the run that adapts is over: what waits is told so.
  void close();

  [[nodiscard]] LiveStatus status() const;
  [[nodiscard]] HostDescription host() const;
  [[nodiscard]] OverrideDesk& overrides() { return overrides_; }
  /// Takes the override in and waits until its turn is in the journal: as it stands there.
  /// Errors: refused, busy, timed_out (it may still be taken in later).
  [[nodiscard]] Result<Override, ControlFault> give(Override asked,
                                                    std::chrono::milliseconds patience);

 private:
  [[nodiscard]] bool wait_committed(Window window, std::chrono::steady_clock::time_point deadline);

  std::function<std::vector<std::string>()> breakers_;
  OverrideDesk overrides_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  StatusAccount account_;
  LiveStatus told_;
  bool closed_{};
};

}  // namespace esper
