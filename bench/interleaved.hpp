#pragma once
// Arms timed side by side: one repetition of each in turn, so that a slow moment hits all alike.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace esper {

struct Arm {
  std::string name;
  std::function<void()> run;  ///< one repetition
  std::vector<double> seconds;
};

/// The value below which `share` of the sample lies; sorts it.
inline double quantile(std::vector<double>& sample, double share) {
  std::sort(sample.begin(), sample.end());
  return sample[static_cast<std::size_t>(share * static_cast<double>(sample.size() - 1))];
}

inline void run_interleaved(std::vector<Arm>& arms, int repetitions) {
  using Clock = std::chrono::steady_clock;
  for (int repetition = 0; repetition < repetitions; ++repetition)
    for (auto& arm : arms) {
      const auto begin = Clock::now();
      arm.run();
      arm.seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
}

}  // namespace esper
