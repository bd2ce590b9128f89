#pragma once
// Gzipped idx files, read only when their bytes are the expected ones.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace esper {

struct CheckedFile {
  std::string_view name;
  std::string_view sha256;  ///< of the compressed file, lower-case hexadecimal
};

inline constexpr const char* idx_remedy =
    "install Debian's dataset-fashion-mnist, or set data.path to a folder that holds its files";

/// The entries of one file, without its header: `entry_bytes` each.
/// Errors: std::runtime_error, one sentence with path and remedy, when the file is missing, has
/// another checksum, or its header does not fit its length.
[[nodiscard]] std::vector<std::uint8_t> read_idx(const std::string& folder, const CheckedFile& file,
                                                 std::size_t entry_bytes);

}  // namespace esper
