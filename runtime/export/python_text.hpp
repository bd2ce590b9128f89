#pragma once
// How numbers, names and the like are written in Python.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace esper {

/// The shortest text that reads back as the same number, always a float's.
[[nodiscard]] inline std::string python_float(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  std::string number{text.data(), end};
  if (number.find_first_of(".en") == std::string::npos) number += ".0";
  return number;
}

/// As the trainer names the module in that slot.
[[nodiscard]] inline std::string seed_attribute(std::string slot) {
  std::ranges::replace(slot, '.', '_');
  return "self.seed_" + slot;
}

/// Of a layer of the constructor or of the forward pass.
[[nodiscard]] inline std::string body_line(const std::string& code) {
  return "        " + code + "\n";
}

[[nodiscard]] inline std::string linear_map(std::uint64_t inputs, std::uint64_t outputs) {
  return "nn.Linear(" + std::to_string(inputs) + ", " + std::to_string(outputs) + ")";
}

}  // namespace esper
