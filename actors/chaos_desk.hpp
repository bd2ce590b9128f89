#pragma once
// What is injected into a living run at this moment. Somebody else decides what and when
// (runtime/chaos); this is what the seams ask, each at the moment at which a fault would strike.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "actors/spoiled_telemetry.hpp"
#include "messages/turn.hpp"

namespace esper {

/// The role that "narset.3" or "tamiyo" names; nothing: none.
[[nodiscard]] std::optional<std::pair<Role, RegionId>> role_named(std::string_view name);

/// Safe from any thread. While nothing is held each question costs one load.
class ChaosDesk {
 public:
  using Clock = std::chrono::steady_clock;

  // Who injects.
  /// From now until `until`, or until it is spent or lifted. `fault.number` tells it apart.
  void hold(const InjectedFault& fault, Clock::time_point until);
  void lift(std::uint64_t number);
  /// All that is held; who is paused goes on.
  void lift_all();
  /// A role that is to die hangs no longer.
  void lift_pauses(Role role, RegionId region);
  /// A fault that has struck by other ways than this desk: journalled with the others.
  void note(const InjectedFault& fault);
  /// It has befallen somebody.
  [[nodiscard]] bool has_struck(std::uint64_t number) const;
  /// It is held still.
  [[nodiscard]] bool holds(std::uint64_t number) const;
  /// Messages that roles have begun to handle since the first question.
  [[nodiscard]] std::uint64_t handled() const { return handled_.load(std::memory_order_relaxed); }

  // Seams.
  /// A role is about to handle a message. Waits as long as it is paused.
  void handles(Role role, RegionId region);
  /// One of that kind that holds now; it strikes by being asked for.
  [[nodiscard]] std::optional<InjectedFault> meet(FaultKind kind);
  /// The same, and it is over: the next one to ask meets another.
  [[nodiscard]] std::optional<InjectedFault> spend(FaultKind kind);
  /// Waits for so long, or until all is lifted.
  void wait(std::chrono::milliseconds duration);
  void spoil(WindowReport& report);
  /// What has struck since the turn before; the same again for the same window.
  [[nodiscard]] std::vector<InjectedFault> due(Window window);

 private:
  struct Held {
    InjectedFault fault;
    Clock::time_point until;
    std::optional<std::pair<Role, RegionId>> role;  ///< whom a pause holds
  };
  std::optional<InjectedFault> find(FaultKind kind, bool spent);
  void strike(const InjectedFault& fault);
  [[nodiscard]] const Held* pause_of(Role role, RegionId region) const;
  void show_busy();

  std::atomic<bool> busy_{false};
  std::atomic<std::uint64_t> handled_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Held> held_;        ///< by number
  std::set<std::uint64_t> struck_;            ///< numbers
  std::vector<InjectedFault> untold_, told_;  ///< for the next turn; by that of window_
  Window window_;
  std::uint64_t lifts_{};
  TelemetrySpoiler spoiler_;
};

}  // namespace esper
