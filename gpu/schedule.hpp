#pragma once
// Warm-up, stable, decay: the learning rate over its peak, by shares of all steps.
#include <algorithm>
#include <cstdint>

#include "messages/configuration.hpp"

namespace esper {

/// Rises in a straight line over the warm-up, stays at 1, falls in a straight line towards 0 over
/// the decay; never 0, so that the last step still learns. `step` counts from 0.
[[nodiscard]] inline double learning_rate_ratio(const TrainingConfig& config, std::uint64_t step,
                                                std::uint64_t steps) {
  if (steps == 0) return 1;
  const auto all = static_cast<double>(steps);
  const double warm = config.warmup_share * all, decay = config.decay_share * all;
  const double done = static_cast<double>(step) + 1;
  const double left = all - static_cast<double>(std::min(step, steps - 1));
  double ratio = 1;
  if (done < warm) ratio = done / warm;
  if (left < decay) ratio = std::min(ratio, left / decay);
  return ratio;
}

}  // namespace esper
