#pragma once
#include <chrono>
#include <thread>

namespace esper {

/// Looks again and again until it holds; false: not within three minutes.
template <typename Condition>
[[nodiscard]] bool comes_true(Condition&& holds) {
  for (int look = 0; look < 9'000; ++look) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

}  // namespace esper
