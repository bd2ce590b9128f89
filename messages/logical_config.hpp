#pragma once
// The part of a run's config that decides what is trained and decided.
#include "messages/configuration.hpp"
#include "messages/json.hpp"

namespace esper {

/// Canonical JSON of what decisions and weights depend on: without name, pace, control, baselines
/// and paths.
[[nodiscard]] inline std::string logical_config(const RunConfig& config) {
  auto json = to_json(config, Floats::exact);
  for (const auto* key : {"name", "pace", "control", "baselines"}) json.erase(key);
  json.at("data").erase("path");
  return json.dump();
}

}  // namespace esper
