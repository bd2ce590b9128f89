#pragma once
// One checkpoint, one file, in the layout of safetensors: an 8-byte little-endian length, a JSON
// header, tensors. Any reader of safetensors opens it; `__metadata__` holds the manifest and one
// SHA-256 over everything else.
#include <filesystem>
#include <optional>

#include "gpu/checkpoint_content.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// Exactly one of the two is there.
struct CheckpointRead {
  std::optional<CheckpointContent> content;
  std::string problem;  ///< one sentence, with the path
};

/// Errors: unreadable, truncated, damaged (any byte), or of another version.
[[nodiscard]] CheckpointRead read_checkpoint(const std::filesystem::path& file);

/// Writes beside the file under a temporary name, syncs, reads it back, renames, syncs the folder:
/// after a crash at any moment the folder holds the file whole or not at all. Makes the folder.
/// Empty: done. Else one sentence, and nothing of the attempt is left.
[[nodiscard]] std::string write_checkpoint(const std::filesystem::path& folder,
                                           const CheckpointContent& content);

/// Each of the folder's, oldest first, whole or with what is wrong.
[[nodiscard]] std::vector<CheckpointFound> find_checkpoints(const std::filesystem::path& folder);
/// The folder's checkpoints, oldest first.
[[nodiscard]] std::vector<std::filesystem::path> checkpoint_files(
    const std::filesystem::path& folder);
/// Removes all but the newest `keep`.
void keep_newest(const std::filesystem::path& folder, std::size_t keep);
/// Removes what an interrupted write left.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace esper
