#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace esper {

/// The number that `text` is, from its first character to its last; nothing where it is none.
[[nodiscard]] inline std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace esper
