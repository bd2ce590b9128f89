#pragma once
#include <string>
#include <vector>

namespace esper {

/// "a, b, c".
[[nodiscard]] inline std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace esper
