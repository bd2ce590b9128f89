#pragma once
// The step boundary's own judgement of a step's loss, without a message or an allocation.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "actors/decisions/number.hpp"
#include "messages/configuration.hpp"

namespace esper {

enum class ReflexVerdict : std::uint8_t { calm, non_finite_loss, loss_spike };

/// What a reflex remembers, as it lies in its ring: the sums that it forms depend on the order.
struct ReflexHistory {
  std::vector<double> losses;
  std::uint64_t next{};
  std::uint64_t count{};

  static constexpr auto schema =
      record("ReflexHistory", field("losses", &ReflexHistory::losses),
             field("next", &ReflexHistory::next), field("count", &ReflexHistory::count));
};

/// The last accepted losses in a ring that is allocated once; copied with a hot checkpoint.
class Reflex {
 public:
  /// A history of fewer losses than this says nothing about spread: only non-finite losses trip.
  static constexpr std::uint32_t history_min = 20;

  explicit Reflex(const ReflexConfig& config)
      : sigmas_(config.sigmas), losses_(std::max<std::uint32_t>(config.history_steps, 1)) {}

  /// Trips when `loss` is not finite, or exceeds the history's mean by `sigmas` deviations. A flat
  /// history still has a deviation of a millionth of its mean: rounding is no spike.
  [[nodiscard]] ReflexVerdict judge(double loss) const {
    if (!finite(loss)) return ReflexVerdict::non_finite_loss;
    if (count_ < std::min<std::size_t>(history_min, losses_.size())) return ReflexVerdict::calm;
    const auto count = static_cast<double>(count_);
    double sum = 0;
    for (std::size_t i = 0; i < count_; ++i) sum += losses_[i];
    const double mean = sum / count;
    double squares = 0;
    for (std::size_t i = 0; i < count_; ++i) squares += (losses_[i] - mean) * (losses_[i] - mean);
    const double least = 1e-6 * (mean < 0 ? -mean : mean);
    const double deviation = std::max(std::sqrt(squares / count), least);
    return loss > mean + sigmas_ * deviation ? ReflexVerdict::loss_spike : ReflexVerdict::calm;
  }

  /// A step that was kept: its loss joins the history and the oldest leaves. Not finite: ignored.
  void accept(double loss) {
    if (!finite(loss)) return;
    losses_[next_] = loss;
    next_ = next_ + 1 == losses_.size() ? 0 : next_ + 1;
    count_ = std::min(count_ + 1, losses_.size());
  }

  [[nodiscard]] std::size_t accepted() const { return count_; }

  [[nodiscard]] ReflexHistory history() const { return {losses_, next_, count_}; }
  /// False, and nothing changes: of another length, or no ring at all.
  [[nodiscard]] bool remember(const ReflexHistory& history) {
    if (history.losses.size() != losses_.size() || history.next >= losses_.size() ||
        history.count > losses_.size())
      return false;
    losses_ = history.losses;
    next_ = history.next;
    count_ = history.count;
    return true;
  }

 private:
  double sigmas_;
  std::vector<double> losses_;
  std::size_t next_{};
  std::size_t count_{};
};

}  // namespace esper
