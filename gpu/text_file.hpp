#pragma once
// Texts, gzipped or plain.
#include <cstdint>
#include <string>
#include <vector>

namespace esper {

inline constexpr const char* text_remedy =
    "install Debian's dict-gcide, or set data.path to another text, gzipped or plain";

/// A file's bytes, unzipped where it is gzipped. Its checksum inside says whether it is whole.
/// Errors: std::runtime_error, one sentence with path and remedy, when it is missing or damaged.
[[nodiscard]] std::vector<std::uint8_t> read_text_file(const std::string& path);

}  // namespace esper
