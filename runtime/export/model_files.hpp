#pragma once
// A finished model's two files in a run's directory.
#include <filesystem>

#include "messages/interfaces.hpp"
#include "runtime/report.hpp"

namespace esper {

struct ModelFilesFault {
  std::string sentence;  ///< with the path
};

/// Writes the state and the Python module that loads it. Errors: a file that can't be written.
[[nodiscard]] Result<ModelFiles, ModelFilesFault> write_model_files(
    const RunConfig& config, Training& training, const TrainingEnd& end,
    const std::filesystem::path& folder);

}  // namespace esper
