#include "actors/decisions/host_surgery.hpp"

#include <algorithm>
#include <optional>

namespace esper {
namespace {

std::uint64_t elements(const TensorDescription& tensor) {
  std::uint64_t count = 1;
  for (const std::uint32_t size : tensor.shape) count *= size;
  return count;
}

std::uint64_t operations(const TensorDescription& tensor) {
  return elements(tensor) * tensor.operations_per_element;
}

/// Operations from each tensor to the loss; one more entry, 0, behind the last.
std::vector<std::uint64_t> downstream_of(const HostDescription& host) {
  std::vector<std::uint64_t> downstream(host.tensors.size() + 1, 0);
  for (std::size_t i = host.tensors.size(); i-- > 0;)
    downstream[i] = downstream[i + 1] + operations(host.tensors[i]);
  return downstream;
}

bool owns(const RegionDescription& region, const std::string& tensor) {
  return std::any_of(region.parameter_prefixes.begin(), region.parameter_prefixes.end(),
                     [&](const std::string& prefix) { return tensor.starts_with(prefix); });
}

/// Each slot's place in the flow: the first tensor downstream of it.
std::vector<std::size_t> places_of(const HostDescription& host) {
  const auto downstream = downstream_of(host);
  std::vector<std::size_t> places;
  for (const SlotDescription& slot : host.slots)
    places.push_back(static_cast<std::size_t>(
        std::find(downstream.begin(), downstream.end(), slot.operations_downstream) -
        downstream.begin()));
  return places;
}

void count(HostDescription& host, const std::vector<std::size_t>& places) {
  host.parameters = host.operations = 0;
  for (RegionDescription& region : host.regions) region.parameters = region.operations = 0;
  for (const TensorDescription& tensor : host.tensors) {
    host.parameters += elements(tensor);
    host.operations += operations(tensor);
    for (RegionDescription& region : host.regions) {
      if (!owns(region, tensor.name)) continue;
      region.parameters += elements(tensor);
      region.operations += operations(tensor);
    }
  }
  const auto downstream = downstream_of(host);
  for (std::size_t i = 0; i < host.slots.size(); ++i)
    host.slots[i].operations_downstream = downstream[places[i]];
}

/// The places are right only if they give back what the host says of itself.
bool described(const HostDescription& host, const std::vector<std::size_t>& places) {
  if (host.tensors.empty()) return false;
  if (std::any_of(places.begin(), places.end(),
                  [&](std::size_t place) { return place > host.tensors.size(); }))
    return false;
  HostDescription counted = host;
  count(counted, places);
  return counted.parameters == host.parameters && counted.operations == host.operations &&
         std::equal(host.regions.begin(), host.regions.end(), counted.regions.begin(),
                    [](const RegionDescription& told, const RegionDescription& found) {
                      return told.parameters == found.parameters &&
                             told.operations == found.operations;
                    });
}

bool usable(const GroupCut& cut, const CoupledGroup& group) {
  return !cut.kept.empty() && cut.kept.back() < group.channels &&
         std::adjacent_find(cut.kept.begin(), cut.kept.end(), [](std::uint32_t a, std::uint32_t b) {
           return a >= b;
         }) == cut.kept.end();
}

bool shrink(HostDescription& host, CoupledGroup& group, std::uint32_t channels) {
  for (const CoupledDimension& dimension : group.dimensions)
    for (TensorDescription& tensor : host.tensors) {
      if (tensor.name != dimension.tensor) continue;
      if (dimension.dimension >= tensor.shape.size()) return false;
      std::uint32_t& size = tensor.shape[dimension.dimension];
      if (size != group.channels * dimension.stride) return false;
      size = channels * dimension.stride;
    }
  for (const SlotId slot : group.slots) {
    if (slot.value >= host.slots.size() || host.slots[slot.value].channels != group.channels)
      return false;
    host.slots[slot.value].channels = channels;
  }
  group.channels = channels;
  return true;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether the channels of `group` are made and read inside the layer alone; nothing: outside
/// alone.
std::optional<bool> inside(const ResidualLayer& layer, const CoupledGroup& group) {
  const auto held = [&](const CoupledDimension& dimension) {
    return contains(layer.tensors, dimension.tensor);
  };
  if (std::none_of(group.dimensions.begin(), group.dimensions.end(), held)) return std::nullopt;
  return group.slots.empty() && std::all_of(group.dimensions.begin(), group.dimensions.end(), held);
}

bool leave(HostDescription& host, ResidualLayer& layer) {
  for (const std::string& name : layer.tensors) {
    const auto tensor =
        std::find_if(host.tensors.begin(), host.tensors.end(),
                     [&](const TensorDescription& known) { return known.name == name; });
    if (tensor == host.tensors.end() || elements(*tensor) == 0) return false;
    tensor->shape.assign(tensor->shape.size(), 0);
  }
  for (CoupledGroup& group : host.coupled_groups) {
    const auto held = inside(layer, group);
    if (held && !*held) return false;
    if (held) group.channels = 0;
  }
  layer.removed = true;
  return true;
}

/// The first tensor of the flow of which `touched` is true, counted to the loss.
template <typename Touched>
std::uint64_t operations_from(const HostDescription& host, const Touched& touched) {
  const auto downstream = downstream_of(host);
  for (std::size_t i = 0; i < host.tensors.size(); ++i)
    if (touched(host.tensors[i].name)) return downstream[i];
  return host.operations;
}

}  // namespace

Result<HostDescription, SurgeryRefusal> after_cuts(const HostDescription& host,
                                                   const std::vector<GroupCut>& cuts,
                                                   const std::vector<std::string>& layers) {
  const auto places = places_of(host);
  if (!described(host, places)) return SurgeryRefusal::uncoupled;
  HostDescription cut = host;
  for (const std::string& name : layers) {
    const auto layer = std::find_if(cut.residual_layers.begin(), cut.residual_layers.end(),
                                    [&](const ResidualLayer& known) { return known.name == name; });
    if (layer == cut.residual_layers.end() || layer->removed || !leave(cut, *layer))
      return SurgeryRefusal::uncoupled;
  }
  for (const GroupCut& one : cuts) {
    const auto group =
        std::find_if(cut.coupled_groups.begin(), cut.coupled_groups.end(),
                     [&](const CoupledGroup& known) { return known.name == one.group; });
    if (group == cut.coupled_groups.end() || !usable(one, *group) ||
        !shrink(cut, *group, static_cast<std::uint32_t>(one.kept.size())))
      return SurgeryRefusal::uncoupled;
  }
  count(cut, places);
  return cut;
}

std::vector<RegionId> regions_touched(const HostDescription& host, const CoupledGroup& group) {
  std::vector<RegionId> touched;
  for (std::uint32_t i = 0; i < host.regions.size(); ++i) {
    const RegionId region{i};
    const bool owner = std::any_of(
        group.dimensions.begin(), group.dimensions.end(),
        [&](const CoupledDimension& dimension) { return owns(host.regions[i], dimension.tensor); });
    const bool passed = std::any_of(group.slots.begin(), group.slots.end(), [&](SlotId slot) {
      return slot.value < host.slots.size() && host.slots[slot.value].region == region;
    });
    if (owner || passed || group.region == region) touched.push_back(region);
  }
  return touched;
}

std::vector<RegionId> regions_touched(const HostDescription& host, const ResidualLayer& layer) {
  std::vector<RegionId> touched;
  for (std::uint32_t i = 0; i < host.regions.size(); ++i)
    if (layer.region == RegionId{i} ||
        std::any_of(layer.tensors.begin(), layer.tensors.end(),
                    [&](const std::string& tensor) { return owns(host.regions[i], tensor); }))
      touched.push_back({i});
  return touched;
}

std::uint64_t operations_behind(const HostDescription& host, const CoupledGroup& group) {
  return operations_from(host, [&](const std::string& name) {
    return std::any_of(group.dimensions.begin(), group.dimensions.end(),
                       [&](const CoupledDimension& dimension) { return dimension.tensor == name; });
  });
}

std::uint64_t operations_behind(const HostDescription& host, const ResidualLayer& layer) {
  return operations_from(host,
                         [&](const std::string& name) { return contains(layer.tensors, name); });
}

const ResidualLayer* residual_layer(const HostDescription& host, const std::string& name) {
  const auto& layers = host.residual_layers;
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const ResidualLayer& layer) { return layer.name == name; });
  return found == layers.end() ? nullptr : &*found;
}

bool last_of_region(const HostDescription& host, const ResidualLayer& layer) {
  return std::none_of(
      host.residual_layers.begin(), host.residual_layers.end(), [&](const ResidualLayer& other) {
        return other.region == layer.region && other.name != layer.name && !other.removed;
      });
}

}  // namespace esper
