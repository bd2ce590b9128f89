#include "runtime/export/model_structure.hpp"

#include <algorithm>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

Blueprint design_of(const std::string& name, const RunConfig& config) {
  auto known = built_in_blueprints();
  known.insert(known.end(), config.blueprints.add.begin(), config.blueprints.add.end());
  const auto found = std::ranges::find(known, name, &Blueprint::name);
  if (found == known.end())
    throw InvariantViolation("a seed of \"" + name + "\" fossilised, a design that nobody knows");
  return *found;
}

/// The seed's slot, and those that took the seed together with it.
std::vector<std::string> group_of(SlotId slot, const HostDescription& host) {
  const auto& first = host.slots.at(slot.value);
  std::vector<std::string> names;
  for (const SlotDescription& other : host.slots)
    if (other.name == first.name ||
        (!first.group.empty() && other.group == first.group && other.region == first.region))
      names.push_back(other.name);
  return names;
}

SeedStructure seed_of(const PlantedSeed& planted, const RunConfig& config,
                      const HostDescription& host) {
  const Blueprint design = design_of(planted.blueprint, config);
  SeedStructure seed;
  seed.blueprint = design.name;
  seed.kind = design.kind;
  seed.slots = group_of(planted.slot, host);
  seed.alpha = planted.alpha;
  seed.channels = host.slots.at(planted.slot.value).channels;
  // A cut takes channels from where they come in and go out, never from inside.
  if (has_reduction(design.kind))
    seed.reduced = static_cast<std::uint32_t>(
        reduced_channels(design, std::max(seed.channels, planted.born_channels)));
  if (has_kernel(design.kind)) seed.kernel = design.kernel;
  seed.dropout = design.dropout;
  return seed;
}

}  // namespace

ModelStructure structure_of(const RunConfig& config, const HostDescription& host,
                            const std::vector<PlantedSeed>& planted) {
  ModelStructure structure;
  structure.run = config.name;
  structure.seed = config.seed;
  structure.host = config.model.host;
  structure.size = config.model.size;
  structure.widths = widths_of(host);
  if (structure.widths.empty())
    structure.widths = default_widths(config.model.host, config.model.size);
  structure.dropout = config.training.dropout;
  for (const PlantedSeed& seed : planted) structure.seeds.push_back(seed_of(seed, config, host));
  return structure;
}

std::vector<std::string> slot_names(const ModelStructure& structure) {
  const auto host = describe_host(structure.host, structure.size, structure.widths);
  if (!host) throw InvariantViolation("there is no host " + structure.host + "/" + structure.size);
  std::vector<std::string> names;
  for (const SlotDescription& slot : host->slots) names.push_back(slot.name);
  return names;
}

}  // namespace esper
