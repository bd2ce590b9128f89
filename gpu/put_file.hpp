#pragma once
// How a file of safetensors comes to its place: whole, or not at all. No LibTorch here, so that the
// tests of a killed process need none.
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpu/safetensors_header.hpp"

namespace esper {

/// A file before it is written: the header, and what follows it, in order.
struct SafetensorsLayout {
  nlohmann::json header;
  std::vector<std::pair<const void*, std::size_t>> data;  ///< into the tensors, which must live on
};

/// Writes beside the file under a temporary name, syncs, asks `check` about what now lies there
/// (one sentence: it is refused), renames, syncs the folder: after a crash at any moment the folder
/// holds the file whole, as it was before or not at all. Empty: done. Else one sentence, and
/// nothing of the attempt is left.
[[nodiscard]] std::string put_file(
    const std::filesystem::path& file, const SafetensorsLayout& layout,
    const std::function<std::string(const std::filesystem::path& part)>& check = {});

/// What an interrupted put_file leaves ends so.
inline constexpr std::string_view part_suffix = ".part";

}  // namespace esper
