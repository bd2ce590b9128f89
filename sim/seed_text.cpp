#include "sim/seed_text.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>

namespace esper::sim {

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

bool read_range(const std::string& text, std::uint64_t& first, std::uint64_t& last) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) return false;
  const auto number = [](std::string_view digits, std::uint64_t& value) {
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    return read.ec == std::errc{} && read.ptr == end;
  };
  return number(std::string_view{text}.substr(0, dots), first) &&
         number(std::string_view{text}.substr(dots + 2), last) && first <= last;
}

}  // namespace esper::sim
