#pragma once
// One checkpoint, one file, in the layout of safetensors (gpu/checkpoint_folder): with its tensors.
// Any reader of safetensors opens it.
#include <optional>

#include "gpu/checkpoint_content.hpp"
#include "gpu/checkpoint_writer.hpp"

namespace esper {

/// Exactly one of the two is there.
struct CheckpointRead {
  std::optional<CheckpointContent> content;
  std::string problem;  ///< one sentence, with the path
};

/// Errors: unreadable, truncated, damaged (any byte), or of another version.
[[nodiscard]] CheckpointRead read_checkpoint(const std::filesystem::path& file);

/// As put_checkpoint does. Empty: done. Else one sentence, and nothing of the attempt is left.
[[nodiscard]] std::string write_checkpoint(const std::filesystem::path& folder,
                                           const CheckpointContent& content);
/// The same, for the writer.
[[nodiscard]] CheckpointJob job_of(CheckpointContent content);

}  // namespace esper
