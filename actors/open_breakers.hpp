#pragma once
// The control side's breakers, shown in one place.
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "actors/decisions/breaker.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// What an open breaker means to the trainer. `turns_stop`: no turn can close, so lockstep must not
/// wait for one. `decided`: it is part of a decision, which the journal holds already.
enum class BreakerReach : std::uint8_t { turns_stop, turns_go_on, decided };

/// Every breaker shows the gauge esper_breaker_open under its name until it is closed again, and
/// each of its changes waits here until a turn has taken it into the journal. The trainer is told
/// when the first of those that stop turns opens and when the last has closed. Safe from any
/// thread.
class OpenBreakers {
 public:
  OpenBreakers(Executor& executor, Metrics& metrics) : executor_(executor), metrics_(metrics) {}

  /// Call after every change of `breaker`.
  void show(const Breaker& breaker, std::string_view region, BreakerReach reach) {
    const std::lock_guard lock(mutex_);
    auto& shown = shown_[{breaker.name(), std::string{region}}];
    if (breaker.openings() > shown.openings)
      metrics_.add("esper_breaker_openings_total", breaker.name(), region,
                   static_cast<double>(breaker.openings() - shown.openings));
    shown.openings = breaker.openings();  // a new incarnation's breaker begins at 0
    const auto before = std::exchange(shown.state, breaker.state());
    if (before == breaker.state()) return;
    if (reach != BreakerReach::decided) note(breaker, region);
    const bool open = breaker.state() != BreakerState::closed;
    if ((before != BreakerState::closed) == open) return;
    if (reach == BreakerReach::turns_stop) {
      stopping_turns_ = open ? stopping_turns_ + 1 : stopping_turns_ - 1;
      executor_.set_control_alive(stopping_turns_ == 0);
    }
    metrics_.set("esper_breaker_open", breaker.name(), region, open ? 1 : 0);
  }

  /// The changes that no turn has taken yet, in order.
  [[nodiscard]] std::vector<BreakerChange> unrecorded() {
    const std::lock_guard lock(mutex_);
    return {changes_.begin(), changes_.end()};
  }
  /// A turn has taken the first so many of them.
  void recorded(std::size_t count) {
    const std::lock_guard lock(mutex_);
    changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(count));
  }

 private:
  struct Shown {
    BreakerState state{};
    std::uint64_t openings = 0;
  };
  /// While the disk refuses turns nothing takes them.
  static constexpr std::size_t changes_max = 256;

  void note(const Breaker& breaker, std::string_view region) {
    if (changes_.size() == changes_max) {
      ++dropped_;
      return;
    }
    changes_.push_back({.name = breaker.name(),
                        .region = std::string{region},
                        .state = breaker.state(),
                        .cause = breaker.cause(),
                        .unrecorded = std::exchange(dropped_, 0)});
  }

  Executor& executor_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Shown> shown_;  ///< by name and region
  std::deque<BreakerChange> changes_;
  std::uint64_t dropped_ = 0;
  std::size_t stopping_turns_ = 0;
};

}  // namespace esper
