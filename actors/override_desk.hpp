#pragma once
// Where overrides wait for their turn. Shared by the thread that takes them in and Tolaria.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "messages/override.hpp"

namespace esper {

/// Bounded; safe from any thread. Once a turn was opened with some, it is opened with the same ones
/// again, whoever asks and however often: what a Narset was told is what the journal says.
class OverrideDesk {
 public:
  /// Takes its place in line. Its id; 0: too many wait, or the run takes no more.
  [[nodiscard]] std::uint64_t submit(Override asked) {
    const std::lock_guard lock(mutex_);
    if (closed_ || waiting_.size() >= waiting_max) return 0;
    asked.id = ++newest_;
    waiting_.push_back(std::move(asked));
    return newest_;
  }

  /// What the turn of `window` takes in: all that asked for it, for an earlier one or for none.
  [[nodiscard]] std::vector<Override> due(Window window) {
    const std::lock_guard lock(mutex_);
    if (window > opened_) {
      opened_ = window;
      taken_.clear();
      std::erase_if(waiting_, [&](const Override& one) { return take(one); });
      changed_.notify_all();
    }
    return taken_;
  }

  /// The turn that took it in; nothing when none did within `patience`.
  [[nodiscard]] std::optional<Window> wait_for(std::uint64_t id,
                                               std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    std::optional<Window> window;
    changed_.wait_for(lock, patience, [&] {
      for (const auto& [taken, when] : takers_)
        if (taken == id) window = when;
      return window.has_value() || closed_;
    });
    return window;
  }

  /// The newest turn that was opened.
  [[nodiscard]] Window opened() const {
    const std::lock_guard lock(mutex_);
    return opened_;
  }
  /// Overrides that turns have taken in.
  [[nodiscard]] std::uint64_t taken() const {
    const std::lock_guard lock(mutex_);
    return newest_ - waiting_.size();
  }
  /// No turn opens any more: nobody waits for one.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  static constexpr std::size_t waiting_max = 64;

  bool take(Override one) {
    if (one.from > opened_) return false;
    one.from = opened_;
    if (one.kind == OverrideKind::escape) one.until = opened_;
    takers_.emplace_back(one.id, opened_);
    if (takers_.size() > waiting_max) takers_.erase(takers_.begin());
    taken_.push_back(std::move(one));
    return true;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Override> waiting_;
  std::vector<Override> taken_;  ///< by the turn of opened_
  std::vector<std::pair<std::uint64_t, Window>> takers_;
  Window opened_;
  std::uint64_t newest_{};
  bool closed_{};
};

}  // namespace esper
