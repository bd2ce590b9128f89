#pragma once
#include <nlohmann/json.hpp>

#include "tests/runtime/scratch_folder.hpp"

namespace esper {

/// What stands in that file; discarded where it is not there, or not whole.
[[nodiscard]] inline nlohmann::json json_of(const std::filesystem::path& file) {
  return nlohmann::json::parse(file_text(file), nullptr, false);
}

}  // namespace esper
