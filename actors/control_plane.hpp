#pragma once
// The tree of actors beside one training run: started in order, supervised, stopped in reverse.
#include <memory>
#include <string>

#include "actors/override_desk.hpp"
#include "messages/interfaces.hpp"

namespace esper {

struct ControlSeams {
  Executor& executor;
  JournalStore& journal;
  Metrics& metrics;
  Log& log;
  TelemetryFilter filter;              ///< tests only; empty in production
  std::vector<Restart> restarts = {};  ///< of earlier processes of this run, as journalled
  OverrideDesk* overrides = nullptr;   ///< where people's overrides wait; null: there are none
  bool virtual_time = false;           ///< a simulation's: no role has a thread of its own
};

/// What supervision came to.
struct ControlEnd {
  std::uint64_t restarts{};
  bool gave_up{};  ///< some role's breaker was not closed
  /// Roles whose handler outlived the ordered stop's deadline, as "narset 2". They may still touch
  /// the seams, which must then outlive them: end the process, and free nothing that they reach.
  std::vector<std::string> blocked = {};
};

/// Owns the actor system. Journal entries before the first window must stand in the store already.
class ControlPlane {
 public:
  ControlPlane(const RunConfig& config, const HostDescription& host, const ControlSeams& seams);
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  /// Waits until the turn of `last` is in the journal. False: not within `patience`.
  [[nodiscard]] bool finish(Window last, std::chrono::milliseconds patience);
  /// Ordered shutdown; then nothing touches the seams any more, but for who blocked it. Repeated:
  /// the same end.
  ControlEnd stop();

  /// Restarts that supervision has begun so far.
  [[nodiscard]] std::uint64_t restarts() const;
  /// Fault injection: the role's present incarnation dies as by a crash. While the role is down
  /// there is none, and the log says that the kill hit nobody.
  void kill(Role role, RegionId region = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace esper
