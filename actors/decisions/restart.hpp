#pragma once
// When a fallen child is started again: at once the first time, later and later while it keeps
// falling, and no more past the intensity. Supervision is one of the few places that know a clock;
// it hands the instant in.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "actors/decisions/random.hpp"

namespace esper {

struct RestartPolicy {
  std::uint32_t restarts_max{};      ///< within one period; the next failure ends it
  std::uint64_t period_ms{};         ///< a failure older than this is forgotten
  std::uint64_t backoff_ms_first{};  ///< before the second restart in a period; then doubled
  std::uint64_t backoff_ms_max{};
};

/// One child's failures within the period.
class RestartHistory {
 public:
  /// `jitter` keeps children that fell together from coming back together.
  RestartHistory(const RestartPolicy& policy, const RandomStream& jitter)
      : policy_(policy), jitter_(jitter) {}

  /// The child fell at `now_ms`, an instant of a clock that never goes back. Returns how long to
  /// wait before the restart, in milliseconds: 0 for the first failure in a period, then between
  /// half and all of a doubling backoff. Nothing: past the intensity, do not restart.
  [[nodiscard]] std::optional<std::uint64_t> after_failure(std::uint64_t now_ms) {
    std::erase_if(failures_ms_, [&](std::uint64_t failed_ms) {
      return now_ms >= failed_ms && now_ms - failed_ms >= policy_.period_ms;
    });
    if (failures_ms_.size() >= policy_.restarts_max) return std::nullopt;
    const std::size_t before = failures_ms_.size();
    failures_ms_.push_back(now_ms);
    if (before == 0) return 0;
    const std::uint64_t whole = backoff_ms(before - 1);
    return whole - jitter_.below(whole / 2 + 1);
  }

  /// Failures that still count.
  [[nodiscard]] std::size_t failures() const { return failures_ms_.size(); }

 private:
  [[nodiscard]] std::uint64_t backoff_ms(std::size_t doublings) const {
    std::uint64_t backoff = std::min(policy_.backoff_ms_first, policy_.backoff_ms_max);
    for (std::size_t i = 0; i < doublings && backoff < policy_.backoff_ms_max; ++i)
      backoff = backoff > policy_.backoff_ms_max / 2 ? policy_.backoff_ms_max : backoff * 2;
    return backoff;
  }

  RestartPolicy policy_;
  RandomStream jitter_;
  std::vector<std::uint64_t> failures_ms_;  ///< ascending, at most restarts_max
};

}  // namespace esper
