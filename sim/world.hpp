#pragma once
// One thread, virtual time, order drawn from the seed: where simulated actors live. CAF's own test
// coordinator holds the mailboxes; this decides whose message is handled next, and when time moves.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/decisions/random.hpp"

namespace esper {

/// Who an actor is, for traces and faults.
struct ActorName {
  std::string role;       ///< "narset.3"
  std::uint32_t epoch{};  ///< its incarnation
  std::string node;
};

/// What the world is about to do.
struct WorldEvent {
  std::uint64_t count{};  ///< from 1
  std::uint64_t at_ms{};
  const ActorName* to{};                    ///< null: an actor that nobody named
  const caf::type_erased_tuple* content{};  ///< null: a start, an end or a time-out
};

/// An exception of an actor ends that actor; one that reaches the world is kept and told.
class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] caf::actor_system& system();
  /// Virtual milliseconds since the beginning; a jump of the actors' clock does not move it.
  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// Exceptions that no actor caught.
  [[nodiscard]] const std::vector<std::string>& escaped() const { return escaped_; }

  /// Calls `what` at that instant, or at once when it has passed; of one instant in order.
  void at(std::uint64_t ms, std::function<void()> what);
  void name(const caf::strong_actor_ptr& actor, ActorName name);
  /// Its messages wait until then; a longer pause counts.
  void pause(const std::string& role, std::uint64_t until_ms);
  /// The role's present incarnation dies now, before it handles anything else. False: nobody to.
  bool kill(const std::string& role);
  /// The actors' clock goes that much further at once.
  void jump(std::uint64_t ms);
  /// Runs until that instant; every message that can be handled by then is.
  void run_until(std::uint64_t ms);

  /// Before each message.
  std::function<void(const WorldEvent&)> before;

 private:
  struct Parts;
  struct Timer {
    std::uint64_t at_ms, order;
    friend auto operator<=>(const Timer&, const Timer&) = default;
  };
  bool step();
  void handle(std::size_t place);
  void settle();
  [[nodiscard]] bool paused(std::size_t place) const;
  [[nodiscard]] std::uint64_t next_ms() const;
  void move_clock(std::uint64_t ms);

  RandomStream order_;
  std::unique_ptr<Parts> parts_;
  std::vector<std::string> escaped_;
  std::uint64_t now_ms_{}, skew_ms_{}, begun_ms_{}, events_{}, timers_made_{};
};

}  // namespace esper
