#pragma once
// The part of a run's config that decides what is trained and decided.
#include <array>

#include "messages/configuration.hpp"
#include "messages/json.hpp"

namespace esper {

/// Sections that neither a decision nor a weight depends on.
inline constexpr std::array<const char*, 6> beside_decisions{"name",      "pace",  "control",
                                                             "baselines", "nodes", "cluster"};

/// Canonical JSON of what decisions and weights depend on: without name, pace, control, baselines,
/// nodes, cluster and paths.
[[nodiscard]] inline std::string logical_config(const RunConfig& config) {
  auto json = to_json(config, Floats::exact);
  for (const auto* key : beside_decisions) json.erase(key);
  json.at("data").erase("path");
  return json.dump();
}

/// The config that such a text was made from; what it leaves out is as by default.
/// Errors: throws MalformedJson, or nlohmann's errors, for any other text.
[[nodiscard]] inline RunConfig config_from_logical(std::string_view text) {
  auto json = nlohmann::json::parse(text);
  const auto usual = to_json(RunConfig{}, Floats::exact);
  for (const auto* key : beside_decisions) json[key] = usual.at(key);
  json.at("data")["path"] = usual.at("data").at("path");
  RunConfig config;
  from_json(json, config);
  return config;
}

}  // namespace esper
