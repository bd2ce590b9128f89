#pragma once
// The folder of a run's checkpoints: their names, their files put there and read back, those that
// are kept. What a file's tensors mean is gpu/checkpoint_file's; no LibTorch here.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gpu/checkpoint_manifest.hpp"
#include "gpu/put_file.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// What reads a file that was found whole: throws std::runtime_error, the end of a sentence that
/// begins with the path, for tensors that do not lie as they say.
using CheckpointReader = std::function<void(CheckpointManifest manifest, const SafetensorsParts&)>;

/// One checkpoint's file: an 8-byte little-endian length, a JSON header, tensors. `__metadata__` in
/// the header holds the manifest and one SHA-256 over everything else. Empty: `reader` has it. Else
/// one sentence, with the path: unreadable, truncated, damaged (any byte), or of another version.
[[nodiscard]] std::string read_checkpoint_file(const std::filesystem::path& file,
                                               const CheckpointReader& reader);

/// What a checkpoint's header says beside its tensors, its hash left out.
[[nodiscard]] nlohmann::json checkpoint_metadata(const CheckpointManifest& manifest);

/// Writes beside the file under a temporary name, syncs, reads it back, renames, syncs the folder:
/// after a crash at any moment the folder holds the file whole or not at all. Makes the folder.
/// `layout`: with checkpoint_metadata(manifest) in its header. Empty: done. Else one sentence, and
/// nothing of the attempt is left.
[[nodiscard]] std::string put_checkpoint(const std::filesystem::path& folder,
                                         std::uint64_t checkpoint, SafetensorsLayout layout);

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
