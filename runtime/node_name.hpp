#pragma once
// What a node may be called: a label of DNS (RFC 1123), so that certificates and URIs can hold it.
#include <algorithm>
#include <string>

namespace esper {

inline constexpr const char* node_name_rule =
    "give 1 to 63 of a-z, 0-9 and '-', neither first nor last a '-', and not \"authority\"";

[[nodiscard]] inline bool is_node_name(const std::string& name) {
  constexpr std::size_t length_max = 63;
  const auto fits = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
  };
  return !name.empty() && name.size() <= length_max && name.front() != '-' && name.back() != '-' &&
         name != "authority" && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace esper
