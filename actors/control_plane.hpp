#pragma once
// The tree of actors beside one training run: started in order, supervised, stopped in reverse.
#include <memory>
#include <string>

#include "actors/chaos_desk.hpp"
#include "actors/decisions/planting.hpp"
#include "actors/override_desk.hpp"
#include "messages/control.hpp"
#include "messages/interfaces.hpp"

namespace esper {

class ClusterSide;

struct ControlSeams {
  Executor& executor;
  JournalStore& journal;
  Metrics& metrics;
  Log& log;
  TelemetryFilter filter;              ///< tests only; empty in production
  std::vector<Restart> restarts = {};  ///< of earlier processes of this run, as journalled
  OverrideDesk* overrides = nullptr;   ///< where people's overrides wait; null: there are none
  bool virtual_time = false;           ///< a simulation's: no role has a thread of its own
  ChaosDesk* chaos = nullptr;          ///< what is injected; null: nothing is
  PlantingTactic planting = {};        ///< of every Narset; empty: Esper's own
  ClusterSide* cluster = nullptr;      ///< what joins it to other nodes; null: there are none
  /// Another process leads the journal now, so that it takes nothing of this one any more; asked
  /// when it has refused a turn. Empty: no other can.
  std::function<bool()> deposed = {};
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
  /// With other nodes it waits until they are there. Errors: ClusterSide's.
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
  /// there is none, and the log says that the kill hit nobody. Waits for the supervisor's answer,
  /// which is that nobody was hit when none comes soon.
  KillAnswer kill(Role role, RegionId region = {},
                  std::uint32_t others_down_max = std::numeric_limits<std::uint32_t>::max());
  /// Fault injection: the role is asked to look again, upon which a pause that is held for it
  /// strikes though nobody else has anything to tell it.
  void nudge(Role role, RegionId region = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace esper
