#pragma once
// A host before it is cut into regions, and the formulas that make one: each kind of host in a file
// of its own.
#include "actors/decisions/host_catalogue.hpp"

namespace esper {

using Widths = std::vector<std::uint32_t>;

/// Layers in the order of the flow, slots, coupled groups and the cut that the host comes with.
struct HostPlan {
  std::vector<HostLayer> layers;
  std::vector<SlotDescription> slots;
  std::vector<CoupledGroup> coupled_groups;
  std::vector<ResidualLayer> residual_layers;
  std::vector<RegionConfig> regions;

  HostLayer& add(std::string name) {
    layers.push_back({std::move(name), {}, {}, {}});
    return layers.back();
  }
  SlotId add_slot(SlotDescription slot) {
    slots.push_back(std::move(slot));
    return {static_cast<std::uint32_t>(slots.size() - 1)};
  }
};

/// One kind of host. Widths are one number per coupled group; of a residual layer's group 0 says
/// that the layer has left.
struct HostKind {
  std::string_view name;
  std::vector<std::string> sizes;  ///< the first is the usual one
  std::uint32_t classes{};         ///< that a target is one of
  std::string_view data_path;      ///< where Debian puts what it is trained on
  bool layers_leave{};             ///< whether a width may be 0
  Widths (*default_widths)(const std::string& size);
  /// `widths`: as many as the default ones. `size` is one of `sizes`.
  HostPlan (*plan)(const std::string& size, const Widths& widths);
  /// Whether width number `index` grows when the host is widened.
  bool (*widens)(std::size_t index);
};

[[nodiscard]] const HostKind& fashion_cnn_kind();
[[nodiscard]] const HostKind& byte_transformer_kind();

}  // namespace esper
