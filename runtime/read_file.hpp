#pragma once
// A file as one text.
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace esper {

/// Nothing: it is not there, is a folder, or can't be read.
[[nodiscard]] inline std::optional<std::string> read_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return std::nullopt;
  const std::ifstream input{file, std::ios::binary};
  if (!input) return std::nullopt;
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

}  // namespace esper
