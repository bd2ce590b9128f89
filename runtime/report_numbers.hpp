#pragma once
// Numbers as the report's tables show them.
#include <iomanip>
#include <sstream>
#include <string>

namespace esper {

[[nodiscard]] inline std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

[[nodiscard]] inline std::string significant(double value) {
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return text.str();
}

[[nodiscard]] inline std::string percent(double share) { return fixed(100 * share, 2) + " %"; }

}  // namespace esper
