#pragma once
// A named assertion on data or a peer. Closed it lets work pass; failures open it; after a backoff
// one probe decides whether it closes again.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "messages/breaker_change.hpp"

namespace esper {

/// Backoffs in the caller's unit of time: windows where training is decided, else milliseconds.
struct BreakerPolicy {
  std::uint32_t failures_max{1};  ///< in a row; reaching it opens the breaker
  std::uint64_t backoff_first{1};
  std::uint64_t backoff_max{64};
};

/// A plain value; every call is given the present time, which never goes back.
class Breaker {
 public:
  Breaker(std::string name, const BreakerPolicy& policy)
      : name_(std::move(name)), policy_(policy), backoff_(policy.backoff_first) {}

  /// May work pass now? In an open breaker whose backoff is over the first call is the probe: it
  /// passes, and the rest wait until it is reported by `succeeded` or `failed`.
  [[nodiscard]] bool pass(std::uint64_t now) {
    if (state_ == BreakerState::open && now >= open_until_)
      state_ = BreakerState::half_open;
    else if (state_ != BreakerState::closed)
      return false;
    return true;
  }

  /// Work that had passed went well: closes a half-open breaker. An open one stays open, since
  /// this is late news from before it opened.
  void succeeded() {
    if (state_ == BreakerState::open) return;
    state_ = BreakerState::closed;
    failures_ = 0;
    backoff_ = policy_.backoff_first;
    cause_.clear();
  }

  /// Work that had passed went wrong. A failed probe opens it for twice as long.
  void failed(std::uint64_t now, std::string cause) {
    if (state_ == BreakerState::open) return;
    cause_ = std::move(cause);
    ++failures_;
    if (state_ == BreakerState::half_open)
      backoff_ = backoff_ > policy_.backoff_max / 2 ? policy_.backoff_max : backoff_ * 2;
    else if (failures_ < policy_.failures_max)
      return;
    backoff_ = std::min(backoff_, policy_.backoff_max);
    state_ = BreakerState::open;
    open_until_ = now + backoff_;
    ++openings_;
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] BreakerState state() const { return state_; }
  /// Of the last failure; "" while all is well.
  [[nodiscard]] const std::string& cause() const { return cause_; }
  /// When the next probe may pass; meaningful while open.
  [[nodiscard]] std::uint64_t open_until() const { return open_until_; }
  /// How often it opened, for the metric.
  [[nodiscard]] std::uint64_t openings() const { return openings_; }

 private:
  friend struct StateFields;  // tests' list of all fields

  std::string name_;
  BreakerPolicy policy_;
  BreakerState state_{};
  std::uint32_t failures_{};  ///< in a row
  std::uint64_t backoff_{};
  std::uint64_t open_until_{};
  std::uint64_t openings_{};
  std::string cause_;
};

}  // namespace esper
