#pragma once
// Where a run's checkpoints cut its journal, read from their files' heads alone: no tensors.
#include <filesystem>
#include <string>
#include <vector>

#include "messages/training.hpp"

namespace esper {

struct PlacedCheckpoint {
  std::filesystem::path file;
  CheckpointPlace place;
};

/// Of every file that says it, oldest first. A file that is damaged there is passed over: whoever
/// goes on from it reads it whole.
[[nodiscard]] std::vector<PlacedCheckpoint> checkpoint_places(const std::filesystem::path& folder);

}  // namespace esper
