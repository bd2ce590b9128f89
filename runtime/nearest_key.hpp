#pragma once
// The key that somebody probably meant.
#include <algorithm>
#include <string>
#include <vector>

#include "runtime/config_keys.hpp"

namespace esper {

[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Of a T: a sister of the unknown key, or a key of the same name elsewhere, as a full path. ""
/// when none is near.
template <typename T>
[[nodiscard]] std::string nearest_key_of(std::string_view section, std::string_view unknown) {
  const auto distance_max = std::max<std::size_t>(2, unknown.size() / 3);
  std::string nearest;
  auto least = distance_max + 1;
  for_each_key(T{}, "", [&](const std::string& path, const auto&) {
    const auto dot = path.rfind('.');
    const auto parent = dot == std::string::npos ? "" : path.substr(0, dot);
    const auto leaf = dot == std::string::npos ? path : path.substr(dot + 1);
    // A key of another section must be nearer by one, so that sisters win.
    const auto distance = edit_distance(unknown, leaf) + (parent == section ? 0 : 1);
    if (distance < least) {
      least = distance;
      nearest = path;
    }
  });
  return nearest;
}

}  // namespace esper
