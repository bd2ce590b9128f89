#include <algorithm>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "runtime/config_checks.hpp"
#include "runtime/listed.hpp"

namespace esper {
namespace {

/// What stands before the first dot of each name, once.
std::vector<std::string> layers_of(const std::vector<std::string>& parameters) {
  std::vector<std::string> layers;
  for (const auto& name : parameters) {
    auto layer = name.substr(0, name.find('.'));
    if (layers.empty() || layers.back() != layer) layers.push_back(std::move(layer));
  }
  return layers;
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
  for (std::size_t i = 0; i < model.regions.size(); ++i)
    if (model.regions[i].name.empty())
      found.push_back(
          {"model.regions[" + std::to_string(i) + "].name", "is empty", "give the region a name"});
  auto description = describe_host(model.host, model.size);
  if (!description) return;
  const auto layers = host_layers(model.host, model.size);
  const auto remedy =
      "give each parameter of " + listed(layers_of(parameter_names(layers))) + " to one region";
  std::vector<std::string> of_all;
  for (const auto& mistake : recut(*description, layers, model.regions)) {
    if (mistake.region < model.regions.size())
      found.push_back(
          {"model.regions[" + std::to_string(mistake.region) + "]", mistake.problem, remedy});
    else
      of_all.push_back(mistake.problem);
  }
  if (of_all.empty()) return;
  const auto more = of_all.size() - 1;  // the same of other parameters
  found.push_back({"model.regions",
                   of_all.front() + (more > 0 ? ", nor " + std::to_string(more) + " more" : ""),
                   remedy});
}

/// Nothing may be named that no slot of the host has a place for.
void check_places(const RunConfig& config, std::vector<ConfigContradiction>& found) {
  const auto& model = config.model;
  const auto host = describe_host(model.host, model.size);
  if (!host) return;
  const auto has_place = [&](const Blueprint& blueprint) {
    return std::any_of(host->slots.begin(), host->slots.end(),
                       [&](const SlotDescription& slot) { return fits(blueprint, slot); });
  };
  std::vector<std::string> placed;
  for (const auto& blueprint : built_in_blueprints())
    if (has_place(blueprint)) placed.push_back(blueprint.name);
  const auto expect_place = [&](const std::string& key, const Blueprint& blueprint) {
    if (has_place(blueprint)) return;
    found.push_back({key,
                     "\"" + blueprint.name + "\" is built for a layout, " +
                         std::string{name_of(layout_of(blueprint.kind))} + ", that no slot of " +
                         model.host + " has",
                     "write one of " + listed(placed) + ", or remove it"});
  };
  const auto& use = config.blueprints.use;
  for (std::size_t i = 0; i < use.size(); ++i)
    for (const auto& blueprint : built_in_blueprints())
      if (blueprint.name == use[i])
        expect_place("blueprints.use[" + std::to_string(i) + "]", blueprint);
  for (std::size_t i = 0; i < config.blueprints.add.size(); ++i)
    expect_place("blueprints.add[" + std::to_string(i) + "].kind", config.blueprints.add[i]);
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
  check_places(config, found);
  return found;
}

}  // namespace esper
