// Cutting a host into the regions that a config names.
#include "actors/decisions/host_catalogue.hpp"

#include <algorithm>

namespace esper {
namespace {

constexpr std::size_t nobody = static_cast<std::size_t>(-1);

/// Which region holds each parameter, in layer order; `nobody` where none does.
using Owners = std::vector<std::vector<std::size_t>>;

Owners owners_of(const std::vector<HostLayer>& layers, const std::vector<RegionConfig>& regions,
                 std::vector<RegionMistake>& mistakes) {
  Owners owners;
  for (const HostLayer& layer : layers) {
    std::vector<std::size_t>& held = owners.emplace_back();
    for (const HostLayer::Parameter& parameter : layer.parameters) {
      std::size_t owner = nobody;
      for (std::size_t region = 0; region < regions.size(); ++region) {
        const auto& prefixes = regions[region].parameters;
        if (std::none_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
              return parameter.name.starts_with(prefix);
            }))
          continue;
        if (owner == nobody)
          owner = region;
        else
          mistakes.push_back({region, "takes " + parameter.name + ", which \"" +
                                          regions[owner].name + "\" holds already"});
      }
      if (owner == nobody)
        mistakes.push_back({regions.size(), "no region holds " + parameter.name});
      held.push_back(owner);
    }
  }
  return owners;
}

void check_names(const std::vector<HostLayer>& layers, const std::vector<RegionConfig>& regions,
                 std::vector<RegionMistake>& mistakes) {
  const std::vector<std::string> names = parameter_names(layers);
  for (std::size_t region = 0; region < regions.size(); ++region) {
    for (std::size_t earlier = 0; earlier < region; ++earlier)
      if (regions[earlier].name == regions[region].name) {
        mistakes.push_back({region, "has the name of an earlier region"});
        break;
      }
    if (regions[region].parameters.empty()) mistakes.push_back({region, "names no parameters"});
    for (const std::string& prefix : regions[region].parameters)
      if (std::none_of(names.begin(), names.end(),
                       [&](const std::string& name) { return name.starts_with(prefix); }))
        mistakes.push_back({region, "no parameter's name starts with \"" + prefix + "\""});
  }
}

/// A layer belongs to the region of its first parameter (its weight); one without parameters to
/// the region of the next layer that has some.
std::vector<std::size_t> layer_regions(const Owners& owners) {
  std::vector<std::size_t> regions(owners.size(), nobody);
  std::size_t next = nobody;
  for (std::size_t i = owners.size(); i-- > 0;) {
    if (!owners[i].empty()) next = owners[i].front();
    regions[i] = next;
  }
  return regions;
}

std::vector<SlotId> slots_at(const HostLayer& layer) {
  std::vector<SlotId> slots = layer.points_after;
  if (layer.branch) slots.push_back(*layer.branch);
  return slots;
}

void add_edge(std::vector<RegionEdge>& edges, std::size_t from, std::size_t to) {
  const RegionId source{static_cast<std::uint32_t>(from)};
  const RegionId target{static_cast<std::uint32_t>(to)};
  if (source == target || std::any_of(edges.begin(), edges.end(), [&](const RegionEdge& edge) {
        return edge.from == source && edge.to == target;
      }))
    return;
  edges.push_back({source, target, false});
}

}  // namespace

std::vector<RegionMistake> recut(HostDescription& host, const std::vector<HostLayer>& layers,
                                 const std::vector<RegionConfig>& regions) {
  std::vector<RegionMistake> mistakes;
  if (regions.empty()) return mistakes;
  check_names(layers, regions, mistakes);
  const Owners owners = owners_of(layers, regions, mistakes);
  const std::vector<std::size_t> of_layer = layer_regions(owners);
  std::vector<bool> has_point(regions.size(), false);
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (of_layer[i] != nobody && !layers[i].points_after.empty()) has_point[of_layer[i]] = true;
  if (mistakes.empty())  // a region that holds nothing has been told already
    for (std::size_t region = 0; region < regions.size(); ++region)
      if (!has_point[region])
        mistakes.push_back(
            {region, "no slot lies behind its layers, so nothing can be seen or grown there"});
  if (!mistakes.empty()) return mistakes;

  host.regions.clear();
  for (const RegionConfig& region : regions)
    host.regions.push_back({region.name, region.parameters, 0, 0});
  host.edges.clear();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t region = of_layer[i];
    const RegionId id{static_cast<std::uint32_t>(region)};
    host.regions[region].operations += layers[i].operations();
    for (std::size_t p = 0; p < owners[i].size(); ++p)
      host.regions[owners[i][p]].parameters += layers[i].parameters[p].count();
    for (const SlotId slot : slots_at(layers[i])) host.slots[slot.value].region = id;
    for (CoupledGroup& group : host.coupled_groups)
      if (layers[i].name.starts_with(group.name)) group.region = id;
    for (ResidualLayer& layer : host.residual_layers)
      if (layers[i].name == layer.name) layer.region = id;
    if (i > 0) add_edge(host.edges, of_layer[i - 1], region);
  }
  return mistakes;
}

}  // namespace esper
