#pragma once
// What a checkpoint's header must say before its tensors are believed. No LibTorch here, so that
// damaged files are tried without it.
#include <utility>

#include "gpu/checkpoint_manifest.hpp"
#include "gpu/safetensors_header.hpp"

namespace esper {

inline constexpr std::string_view checkpoint_format = "esper checkpoint";
inline constexpr std::string_view checkpoint_version = "2";

/// SHA-256 over the header's text, its own place in it empty, and all that follows.
[[nodiscard]] std::string checkpoint_hash(
    nlohmann::json header, const std::vector<std::pair<const void*, std::size_t>>& data);

/// Errors: std::runtime_error, the end of a sentence that begins with the file: no checkpoint of
/// ours, of another version, damaged (any byte); or one of nlohmann's exceptions.
[[nodiscard]] CheckpointManifest manifest_of(const SafetensorsParts& parts);

}  // namespace esper
