#include "actors/decisions/host_catalogue.hpp"

#include <algorithm>
#include <map>

namespace esper {

namespace {

constexpr std::uint32_t image_side = 28, classes = 10, plain_layers = 12;

/// One convolution, 3x3, padding 1, with what follows it.
struct Layer {
  std::string name;
  std::uint32_t in{}, out{}, stride{}, side{};  ///< side of the output
  bool norm{};                                  ///< batch norm, and no bias; else a bias
  std::string region;
};

std::uint64_t parameters_of(const Layer& layer) {
  return std::uint64_t{9} * layer.in * layer.out + (layer.norm ? 2 : 1) * layer.out;
}

std::uint64_t operations_of(const Layer& layer) {
  const std::uint64_t pixels = std::uint64_t{layer.side} * layer.side;
  return (std::uint64_t{9} * layer.in * layer.out + (layer.norm ? 2 * layer.out : 0)) * pixels;
}

/// Empty when host, size or the count of widths is unknown.
std::vector<Layer> layers_of(const std::string& host, const std::string& size,
                             std::vector<std::uint32_t> widths) {
  const auto own = default_widths(host, size);
  if (own.empty()) return {};
  if (widths.empty()) widths = own;
  if (widths.size() != own.size() || std::ranges::find(widths, 0u) != widths.end()) return {};
  std::vector<Layer> layers;
  std::uint32_t in = 1, side = image_side;
  const auto add = [&](const std::string& name, std::uint32_t out, std::uint32_t stride, bool norm,
                       const std::string& region) {
    side /= stride;
    layers.push_back({name, in, out, stride, side, norm, region});
    in = out;
  };
  if (size == "melt") {
    add("stem", widths[0], 2, false, "stem");
    for (std::uint32_t i = 0; i < plain_layers; ++i)
      add("plain" + std::to_string(i), widths[0], 1, false, "plain");
    return layers;
  }
  add("conv0", widths[0], 2, true, "early");
  add("conv1", widths[1], 1, true, "early");
  add("conv2", widths[2], 2, true, "middle");
  add("conv3", widths[3], 1, true, "late");
  return layers;
}

std::string norm_of(const Layer& layer) { return "norm" + layer.name.substr(4); }

/// Channels of one layer leave its own tensors and the next layer's inputs.
CoupledGroup group_of(const std::vector<Layer>& layers, std::size_t index, RegionId region) {
  const Layer& layer = layers[index];
  CoupledGroup group{.name = layer.name, .region = region, .channels = layer.out, .dimensions = {}};
  group.dimensions.push_back({layer.name + ".weight", 0, 1});
  if (layer.norm)
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      group.dimensions.push_back({norm_of(layer) + part, 0, 1});
  else
    group.dimensions.push_back({layer.name + ".bias", 0, 1});
  const bool last = index + 1 == layers.size();
  group.dimensions.push_back({last ? "head.weight" : layers[index + 1].name + ".weight", 1, 1});
  return group;
}

class Describer {
 public:
  Describer(std::string name, std::vector<Layer> layers) : layers_(std::move(layers)) {
    description_.name = std::move(name);
  }

  HostDescription describe(bool melt) {
    for (const auto& layer : layers_) add_layer(layer);
    add_head(melt ? "head" : layers_.back().region);
    for (std::uint32_t i = 0; i + 1 < description_.regions.size(); ++i)
      description_.edges.push_back({{i}, {i + 1}, false});
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const RegionId region = region_of(layers_[i].region);
      description_.coupled_groups.push_back(group_of(layers_, i, region));
      if (melt && i > 0)
        add_slot("plain." + std::to_string(i - 1), i, SlotKind::branch, "plain");
      const bool ends_region =
          i + 1 == layers_.size() || layers_[i + 1].region != layers_[i].region;
      if (ends_region && !(melt && i == 0)) {
        add_slot(layers_[i].region + ".a", i, SlotKind::point, "");
        if (!melt) add_slot(layers_[i].region + ".b", i, SlotKind::point, "");
      }
    }
    return std::move(description_);
  }

 private:
  RegionId region_of(const std::string& name) {
    auto& regions = description_.regions;
    for (std::uint32_t i = 0; i < regions.size(); ++i)
      if (regions[i].name == name) return {i};
    regions.push_back({name, {}, 0, 0});
    return {static_cast<std::uint32_t>(regions.size() - 1)};
  }

  void count(const std::string& region, std::vector<std::string> prefixes,
             std::uint64_t parameters, std::uint64_t operations) {
    auto& counted = description_.regions.at(region_of(region).value);
    counted.parameter_prefixes.insert(counted.parameter_prefixes.end(), prefixes.begin(),
                                      prefixes.end());
    counted.parameters += parameters;
    counted.operations += operations;
    description_.parameters += parameters;
    description_.operations += operations;
  }

  void add_layer(const Layer& layer) {
    std::vector<std::string> prefixes{layer.name + "."};
    if (layer.norm) prefixes.push_back(norm_of(layer) + ".");
    count(layer.region, prefixes, parameters_of(layer), operations_of(layer));
  }

  void add_head(const std::string& region) {
    const std::uint64_t weights = std::uint64_t{layers_.back().out} * classes;
    count(region, {"head."}, weights + classes, weights);
  }

  void add_slot(const std::string& name, std::size_t index, SlotKind kind,
                const std::string& group) {
    const Layer& layer = layers_[index];
    std::uint64_t downstream = std::uint64_t{layers_.back().out} * classes;
    for (std::size_t later = index + 1; later < layers_.size(); ++later)
      downstream += operations_of(layers_[later]);
    description_.slots.push_back({name, region_of(layer.region), kind, group, layer.out,
                                  layer.side, layer.side, downstream, layer.name});
  }

  std::vector<Layer> layers_;
  HostDescription description_;
};

}  // namespace

std::vector<std::string> host_names() { return {"fashion_cnn"}; }

std::vector<std::string> host_sizes(const std::string& host) {
  if (host != "fashion_cnn") return {};
  return {"tiny", "base", "melt"};
}

std::vector<std::uint32_t> default_widths(const std::string& host, const std::string& size) {
  if (host != "fashion_cnn") return {};
  if (size == "tiny") return {8, 16, 24, 32};
  if (size == "base") return {24, 48, 64, 96};
  if (size == "melt") return {12};
  return {};
}

std::optional<HostDescription> describe_host(const std::string& host, const std::string& size,
                                             const std::vector<std::uint32_t>& widths) {
  auto layers = layers_of(host, size, widths);
  if (layers.empty()) return std::nullopt;
  return Describer(host + "/" + size, std::move(layers)).describe(size == "melt");
}

std::vector<std::uint32_t> widened(const std::string& host, const std::string& size,
                                   std::uint64_t parameters) {
  const auto own = default_widths(host, size);
  if (own.empty()) return {};
  const auto count = [&](const std::vector<std::uint32_t>& widths) {
    std::uint64_t total = std::uint64_t{widths.back()} * classes + classes;
    for (const auto& layer : layers_of(host, size, widths)) total += parameters_of(layer);
    return total;
  };
  const auto distance = [&](const std::vector<std::uint32_t>& widths) {
    const std::uint64_t has = count(widths);
    return has > parameters ? has - parameters : parameters - has;
  };
  auto best = own;
  for (std::uint32_t percent = 100; percent <= 400; ++percent) {
    auto widths = own;
    for (auto& width : widths) width = (width * percent + 50) / 100;
    if (distance(widths) < distance(best)) best = widths;
    if (count(widths) > 2 * parameters) break;
  }
  return best;
}

std::vector<NamedParameter> parameters_of_host(const std::string& host, const std::string& size,
                                               const std::vector<std::uint32_t>& widths) {
  std::vector<NamedParameter> names;
  const auto layers = layers_of(host, size, widths);
  for (const auto& layer : layers) {
    names.push_back(
        {layer.name + ".weight", std::uint64_t{9} * layer.in * layer.out, operations_of(layer)});
    if (layer.norm) {
      names.push_back({norm_of(layer) + ".weight", layer.out, 0});
      names.push_back({norm_of(layer) + ".bias", layer.out, 0});
    } else {
      names.push_back({layer.name + ".bias", layer.out, 0});
    }
  }
  if (layers.empty()) return names;
  const std::uint64_t head = std::uint64_t{layers.back().out} * classes;
  names.push_back({"head.weight", head, head});
  names.push_back({"head.bias", classes, 0});
  return names;
}

std::vector<RegionMistake> recut(HostDescription& description,
                                 const std::vector<NamedParameter>& parameters,
                                 const std::vector<RegionConfig>& regions) {
  if (regions.empty()) return {};
  std::vector<RegionMistake> mistakes;
  std::map<std::string, std::size_t> owner;  // of a parameter, by name
  std::vector<RegionDescription> cut;
  for (std::size_t index = 0; index < regions.size(); ++index) {
    cut.push_back({regions[index].name, regions[index].parameters, 0, 0});
    for (const auto& prefix : regions[index].parameters) {
      bool matched = false;
      for (const auto& parameter : parameters) {
        if (prefix.empty() || !parameter.name.starts_with(prefix)) continue;
        matched = true;
        const auto [place, fresh] = owner.emplace(parameter.name, index);
        if (fresh) {
          cut[index].parameters += parameter.count;
          cut[index].operations += parameter.operations;
        } else if (place->second != index)
          mistakes.push_back({index, "region \"" + regions[index].name + "\" overlaps region \"" +
                                         regions[place->second].name + "\" at parameter " +
                                         parameter.name});
      }
      if (!matched)
        mistakes.push_back({index, "region \"" + regions[index].name + "\": \"" + prefix +
                                       "\" matches no parameter of " + description.name});
    }
  }
  for (const auto& parameter : parameters)
    if (!owner.contains(parameter.name))
      mistakes.push_back({regions.size() - 1, "parameter " + parameter.name +
                                                  " belongs to no region"});
  if (!mistakes.empty()) return mistakes;

  const auto region_of = [&](const std::string& layer) {
    return static_cast<std::uint32_t>(owner.at(layer + ".weight"));
  };
  for (auto& group : description.coupled_groups) group.region = {region_of(group.name)};
  for (auto& slot : description.slots) slot.region = {region_of(slot.layer)};
  description.regions = std::move(cut);
  description.edges.clear();
  for (std::uint32_t i = 0; i + 1 < description.regions.size(); ++i)
    description.edges.push_back({{i}, {i + 1}, false});
  return {};
}

}  // namespace esper
