#include <algorithm>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "runtime/config_checks.hpp"

namespace esper {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Adds a contradiction and says false when `name` is not among `known`.
bool expect_known(const std::string& key, const std::string& what, const std::string& name,
                  const std::vector<std::string>& known, std::vector<ConfigContradiction>& found) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return true;
  found.push_back(
      {key, "there is no " + what + " \"" + name + "\"", "write one of " + listed(known)});
  return false;
}

void check_regions(const ModelConfig& model, std::vector<ConfigContradiction>& found) {
  if (model.regions.empty()) return;
  auto description = describe_host(model.host, model.size);
  if (!description) return;
  const auto layers = host_layers(model.host, model.size);
  for (const auto& mistake : recut(*description, layers, model.regions)) {
    const bool of_one = mistake.region < model.regions.size();
    found.push_back(
        {of_one ? "model.regions[" + std::to_string(mistake.region) + "]" : "model.regions",
         mistake.problem, "give each of " + listed(parameter_names(layers)) + " to one region"});
  }
}

void check_blueprints(const CatalogueConfig& blueprints, std::vector<ConfigContradiction>& found) {
  std::vector<std::string> known;
  for (const auto& blueprint : built_in_blueprints()) known.push_back(blueprint.name);
  for (std::size_t i = 0; i < blueprints.use.size(); ++i)
    (void)expect_known("blueprints.use[" + std::to_string(i) + "]", "built-in blueprint",
                       blueprints.use[i], known, found);
  for (std::size_t i = 0; i < blueprints.add.size(); ++i)
    if (std::find(known.begin(), known.end(), blueprints.add[i].name) != known.end())
      found.push_back({"blueprints.add[" + std::to_string(i) + "].name",
                       "\"" + blueprints.add[i].name + "\" is a built-in blueprint's",
                       "give another name"});
}

}  // namespace

std::vector<ConfigContradiction> unknown_names(const RunConfig& config) {
  std::vector<ConfigContradiction> found;
  const auto& model = config.model;
  if (expect_known("model.host", "host", model.host, host_names(), found) &&
      expect_known("model.size", "size", model.size, host_sizes(model.host), found))
    check_regions(model, found);
  check_blueprints(config.blueprints, found);
  return found;
}

}  // namespace esper
