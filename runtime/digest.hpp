#pragma once
// SHA-256 as lower-case hexadecimal text of 64 characters.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace esper {

/// Digest of the bytes in `data`.
[[nodiscard]] std::string sha256(std::string_view data);

/// Digest of a file's bytes; none when it can't be read to its end.
[[nodiscard]] std::optional<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace esper
