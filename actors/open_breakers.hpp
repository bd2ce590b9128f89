#pragma once
// The control side's breakers, shown in one place.
#include <map>
#include <mutex>

#include "actors/decisions/breaker.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// What an open breaker means to the trainer. `turns_stop`: no turn can close, so lockstep must not
/// wait for one.
enum class BreakerReach : std::uint8_t { turns_stop, turns_go_on };

/// Every breaker shows the gauge esper_breaker_open under its name until it is closed again. The
/// trainer is told when the first of those that stop turns opens and when the last has closed.
/// Safe from any thread.
class OpenBreakers {
 public:
  OpenBreakers(Executor& executor, Metrics& metrics) : executor_(executor), metrics_(metrics) {}

  /// Call after every change of `breaker`.
  void show(const Breaker& breaker, std::string_view region, BreakerReach reach) {
    const std::lock_guard lock(mutex_);
    const bool open = breaker.state() != BreakerState::closed;
    auto& shown = shown_[{breaker.name(), std::string{region}}];
    if (breaker.openings() > shown.openings)
      metrics_.add("esper_breaker_openings_total", breaker.name(), region,
                   static_cast<double>(breaker.openings() - shown.openings));
    shown.openings = breaker.openings();  // a new incarnation's breaker begins at 0
    if (std::exchange(shown.open, open) == open) return;
    if (reach == BreakerReach::turns_stop) {
      stopping_turns_ = open ? stopping_turns_ + 1 : stopping_turns_ - 1;
      executor_.set_control_alive(stopping_turns_ == 0);
    }
    metrics_.set("esper_breaker_open", breaker.name(), region, open ? 1 : 0);
  }

 private:
  struct Shown {
    bool open = false;
    std::uint64_t openings = 0;
  };

  Executor& executor_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Shown> shown_;  ///< by name and region
  std::size_t stopping_turns_ = 0;
};

}  // namespace esper
