#pragma once
// JSON from a file that may be anybody's: what is read by recursion must not nest without end.
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace esper {

/// Deeper than anything that we write.
inline constexpr std::size_t json_depth_max = 64;

/// How deep arrays and objects nest in a JSON text; of a text that is none, at least how deep a
/// parser gets into it.
[[nodiscard]] constexpr std::size_t nesting_of(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char now = text[at];
    if (quoted && now == '\\')
      ++at;
    else if (now == '"')
      quoted = !quoted;
    else if (!quoted && (now == '[' || now == '{'))
      deepest = std::max(deepest, ++depth);
    else if (!quoted && (now == ']' || now == '}') && depth > 0)
      --depth;
  }
  return deepest;
}

}  // namespace esper
