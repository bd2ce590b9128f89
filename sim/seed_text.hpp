#pragma once
// Seeds and hashes on the command line.
#include <cstdint>
#include <string>

namespace esper::sim {

/// 16 digits.
[[nodiscard]] std::string hex(std::uint64_t value);
/// "A..B" with A at most B. False: it is none.
[[nodiscard]] bool read_range(const std::string& text, std::uint64_t& first, std::uint64_t& last);

}  // namespace esper::sim
