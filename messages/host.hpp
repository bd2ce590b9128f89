#pragma once
// A host described as data: regions, edges, slots and coupled groups, without any tensor.
#include "messages/schema.hpp"

namespace esper {

/// `point`: between layers, h -> h + a*f(h). `branch`: beside a layer, layer(x) + a*f(x).
enum class SlotKind : std::uint8_t { point, branch };
ESPER_ENUM_NAMES(SlotKind, "point", "branch");

struct SlotDescription {
  std::string name;  ///< "early.a": unique in the host
  RegionId region;
  SlotKind kind{};
  std::string group;  ///< branch slots of one group take one seed together; "" stands alone
  std::uint32_t channels{};
  std::uint32_t height{};  ///< activations are [batch, channels, height, width]
  std::uint32_t width{};
  std::uint64_t operations_downstream{};  ///< per sample, from here to the loss
  std::string layer;                      ///< whose output it takes, e.g. "norm1"

  static constexpr auto schema =
      record("SlotDescription", field("name", &SlotDescription::name),
             field("region", &SlotDescription::region), field("kind", &SlotDescription::kind),
             field("group", &SlotDescription::group), field("channels", &SlotDescription::channels),
             field("height", &SlotDescription::height), field("width", &SlotDescription::width),
             field("operations_downstream", &SlotDescription::operations_downstream),
             field("layer", &SlotDescription::layer));
};

struct RegionDescription {
  std::string name;
  std::vector<std::string> parameter_prefixes;  ///< of the module's parameter names, e.g. "conv1."
  std::uint64_t parameters{};
  std::uint64_t operations{};  ///< multiply-accumulates per sample, forward

  static constexpr auto schema =
      record("RegionDescription", field("name", &RegionDescription::name),
             field("parameter_prefixes", &RegionDescription::parameter_prefixes),
             field("parameters", &RegionDescription::parameters),
             field("operations", &RegionDescription::operations));
};

/// Activations flow from one region to another; `skip` edges pass others by.
struct RegionEdge {
  RegionId from, to;
  bool skip{};

  static constexpr auto schema =
      record("RegionEdge", field("from", &RegionEdge::from), field("to", &RegionEdge::to),
             field("skip", &RegionEdge::skip));
};

/// One dimension of one tensor that loses an index when the group loses a channel.
struct CoupledDimension {
  std::string tensor;  ///< parameter or buffer name
  std::uint32_t dimension{};
  std::uint32_t stride{1};  ///< entries per channel (pixels of a flattened input)

  static constexpr auto schema = record(
      "CoupledDimension", field("tensor", &CoupledDimension::tensor),
      field("dimension", &CoupledDimension::dimension), field("stride", &CoupledDimension::stride));
};

struct CoupledGroup {
  std::string name;
  RegionId region;
  std::uint32_t channels{};
  std::vector<CoupledDimension> dimensions;

  static constexpr auto schema = record(
      "CoupledGroup", field("name", &CoupledGroup::name), field("region", &CoupledGroup::region),
      field("channels", &CoupledGroup::channels), field("dimensions", &CoupledGroup::dimensions));
};

struct HostDescription {
  std::string name;
  std::vector<RegionDescription> regions;
  std::vector<RegionEdge> edges;
  std::vector<SlotDescription> slots;
  std::vector<CoupledGroup> coupled_groups;
  std::uint64_t parameters{};
  std::uint64_t operations{};  ///< multiply-accumulates per sample, forward

  static constexpr auto schema =
      record("HostDescription", field("name", &HostDescription::name),
             field("regions", &HostDescription::regions), field("edges", &HostDescription::edges),
             field("slots", &HostDescription::slots),
             field("coupled_groups", &HostDescription::coupled_groups),
             field("parameters", &HostDescription::parameters),
             field("operations", &HostDescription::operations));
};

}  // namespace esper
