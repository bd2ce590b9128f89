#pragma once
// How an arm's training loss went, window by window: what arms are compared by, step for step.
#include <cstdint>
#include <vector>

namespace esper {

class LossCurve {
 public:
  /// `window_steps`: calls to a window; 0 counts as 1.
  explicit LossCurve(std::uint32_t window_steps) : window_steps_(window_steps) {}

  /// One call's loss, nats per sample; one that is not finite makes its window's mean so.
  void add(double loss) {
    sum_ += loss;
    if (++count_ < window_steps_) return;
    means_.push_back(sum_ / static_cast<double>(count_));
    sum_ = 0;
    count_ = 0;
  }

  /// Of the windows that were filled, in order.
  [[nodiscard]] const std::vector<double>& means() const { return means_; }

 private:
  std::uint32_t window_steps_, count_{};
  double sum_{};
  std::vector<double> means_;
};

}  // namespace esper
