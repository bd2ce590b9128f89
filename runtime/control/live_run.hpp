#pragma once
// One living run as its control socket sees it. Safe from any thread.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "actors/override_desk.hpp"
#include "messages/cluster.hpp"
#include "messages/configuration.hpp"
#include "messages/interfaces.hpp"
#include "messages/result.hpp"
#include "runtime/chaos/chaos_conductor.hpp"
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
  std::vector<NodeStanding> nodes;    ///< of a run on several nodes
  std::string replicas;  ///< the newest that its trainers had to say, a sentence; "": nothing

  static constexpr auto schema =
      record("LiveStatus", field("name", &LiveStatus::name), field("seed", &LiveStatus::seed),
             field("mode", &LiveStatus::mode), field("pace", &LiveStatus::pace),
             field("process", &LiveStatus::process), field("arm", &LiveStatus::arm),
             field("step", &LiveStatus::step), field("steps", &LiveStatus::steps),
             field("loss", &LiveStatus::loss), field("run", &LiveStatus::run),
             field("breakers", &LiveStatus::breakers), field("nodes", &LiveStatus::nodes),
             field("replicas", &LiveStatus::replicas));
};

class LiveRun {
 public:
  /// What the other nodes are asked; all empty: there are none.
  struct Nodes {
    std::function<std::vector<NodeStanding>()> standing;
    std::function<std::string(const std::string& node)> drain;  ///< "": done; else why not
  };

  /// `breakers`: names of those that stand open, now.
  LiveRun(const RunConfig& config, std::function<std::vector<std::string>()> breakers,
          Nodes nodes = {});

  /// Entries that stand in the journal from now on.
  void appended(const std::vector<JournalEntry>& entries);
  void trains(const std::string& arm, const TrainingProgress& progress);
  void replicas_say(const std::string& sentence);
  /// The part of the run that adapts is over: what waits is told so.
  void close();

  [[nodiscard]] LiveStatus status() const;
  [[nodiscard]] HostDescription host() const;
  [[nodiscard]] OverrideDesk& overrides() { return overrides_; }
  [[nodiscard]] ChaosConductor& chaos() { return chaos_; }
  /// The Narsets of that node move. "": they do; else why not.
  [[nodiscard]] std::string drain(const std::string& node) const;
  /// Takes the override in and waits until its turn is in the journal: as it stands there.
  /// Errors: refused, busy, timed_out (it may still be taken in later).
  [[nodiscard]] Result<Override, ControlFault> give(Override asked,
                                                    std::chrono::milliseconds patience);

 private:
  [[nodiscard]] bool wait_committed(Window window, std::chrono::steady_clock::time_point deadline);

  std::function<std::vector<std::string>()> breakers_;
  Nodes nodes_;
  OverrideDesk overrides_;
  ChaosConductor chaos_{overrides_};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  StatusAccount account_;
  LiveStatus told_;
  bool closed_{};
};

/// Whoever waits for a turn of this run hears, at the latest here, that none comes any more.
class LiveScope {
 public:
  explicit LiveScope(LiveRun& live) : live_(live) {}
  ~LiveScope() { live_.close(); }
  LiveScope(const LiveScope&) = delete;
  LiveScope& operator=(const LiveScope&) = delete;

 private:
  LiveRun& live_;
};

}  // namespace esper
