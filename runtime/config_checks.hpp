#pragma once
// What no single key can show: values that contradict each other, the data folder, the host's cut.
#include <functional>
#include <string>
#include <vector>

#include "messages/configuration.hpp"

namespace esper {

/// A contradiction, before its place in the text is known.
struct ConfigContradiction {
  std::string key;  ///< the key to look at first
  std::string problem;
  std::string remedy;
};

/// Thresholds, shares and spans that no run could satisfy together. Pure.
[[nodiscard]] std::vector<ConfigContradiction> contradictions(const RunConfig& config);

/// Nodes, placement, time-outs and journal of a run on several nodes. Pure.
[[nodiscard]] std::vector<ConfigContradiction> cluster_contradictions(const RunConfig& config);

/// Host, size, cut into regions and blueprints' names against the catalogues. Pure.
[[nodiscard]] std::vector<ConfigContradiction> unknown_names(const RunConfig& config);

/// Data files that are not there. Looks at the file system.
[[nodiscard]] std::vector<ConfigContradiction> missing_data(const RunConfig& config);

}  // namespace esper
