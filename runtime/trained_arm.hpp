#pragma once
// The arms of a run while it trains them.
#include <memory>
#include <vector>

#include "messages/interfaces.hpp"

namespace esper {

/// What a model is built from: its widths, the seeds that are part of it, and whether it was cut.
struct Shape {
  std::vector<std::uint32_t> widths;
  std::vector<PlantedSeed> planted;
  bool cut{};
};

/// An arm with the training behind it, which the latency is measured on.
struct TrainedArm {
  TrainedModel model;
  std::unique_ptr<Training> training;
  std::vector<double> window_losses;
};

}  // namespace esper
