#include <algorithm>
#include <array>

#include "runtime/config_checks.hpp"

namespace esper {

std::vector<ConfigContradiction> unknown_names(const RunConfig& config) {
  constexpr std::array<std::string_view, 3> sizes{"tiny", "base", "melt"};
  std::vector<ConfigContradiction> found;
  if (config.model.host != "fashion_cnn")
    found.push_back({"model.host", "there is no host \"" + config.model.host + "\"",
                     "write \"fashion_cnn\""});
  if (std::find(sizes.begin(), sizes.end(), config.model.size) == sizes.end())
    found.push_back({"model.size", "there is no size \"" + config.model.size + "\"",
                     "write tiny, base or melt"});
  return found;
}

}  // namespace esper
