#pragma once
// A host described as data: regions, edges, slots and coupled groups, without any tensor.
#include "messages/schema.hpp"

namespace esper {

/// `image`: activations are [batch, channels, height, width], a sample is an image. `sequence`:
/// [batch, positions, channels], a sample is a whole sequence, and a position may see no later one.
enum class Layout : std::uint8_t { image, sequence };
ESPER_ENUM_NAMES(Layout, "image", "sequence");

/// `point`: between layers, h -> h + a*f(h). `branch`: beside a layer, layer(x) + a*f(x).
enum class SlotKind : std::uint8_t { point, branch };
ESPER_ENUM_NAMES(SlotKind, "point", "branch");

struct SlotDescription {
  std::string name;  ///< "early.a": unique in the host
  RegionId region;
  SlotKind kind{};
  std::string group;  ///< branch slots of one group take one seed together; "" stands alone
  std::uint32_t channels{};
  std::uint32_t height{};                 ///< of a sequence: its positions
  std::uint32_t width{};                  ///< of a sequence: 1
  std::uint64_t operations_downstream{};  ///< per sample, from here to the loss
  std::string layer;                      ///< whose output it takes, e.g. "norm1"
  Layout layout{Layout::image};

  static constexpr auto schema =
      record("SlotDescription", field("name", &SlotDescription::name),
             field("region", &SlotDescription::region), field("kind", &SlotDescription::kind),
             field("group", &SlotDescription::group), field("channels", &SlotDescription::channels),
             field("height", &SlotDescription::height), field("width", &SlotDescription::width),
             field("operations_downstream", &SlotDescription::operations_downstream),
             field("layer", &SlotDescription::layer), field("layout", &SlotDescription::layout));
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

/// One parameter's shape, from which parameters and operations are counted anew after surgery.
struct TensorDescription {
  std::string name;
  std::vector<std::uint32_t> shape;
  std::uint64_t operations_per_element{};  ///< multiply-accumulates per sample

  static constexpr auto schema =
      record("TensorDescription", field("name", &TensorDescription::name),
             field("shape", &TensorDescription::shape),
             field("operations_per_element", &TensorDescription::operations_per_element));
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

/// Channels that can only go together, from every tensor that they touch. Dimension 0 of a tensor
/// makes a channel, any other reads it.
struct CoupledGroup {
  std::string name;
  RegionId region;
  std::uint32_t channels{};
  std::vector<CoupledDimension> dimensions;
  std::vector<SlotId> slots;  ///< that the channels pass through: seeds in them are cut, too

  static constexpr auto schema =
      record("CoupledGroup", field("name", &CoupledGroup::name),
             field("region", &CoupledGroup::region), field("channels", &CoupledGroup::channels),
             field("dimensions", &CoupledGroup::dimensions), field("slots", &CoupledGroup::slots));
};

/// A layer beside a residual stream, x + f(norm(x)), that can leave whole: the stream then passes
/// on as it is. Layers with a branch slot beside them are not described so: a seed there would be
/// left without its layer.
struct ResidualLayer {
  std::string name;  ///< "block0.attention": unique in the host
  std::string kind;  ///< "attention": layers of one kind are held against each other
  RegionId region;
  std::vector<std::string> tensors;  ///< all its parameters, its norm's among them
  bool removed{};                    ///< its tensors have kept their names and no entry

  static constexpr auto schema =
      record("ResidualLayer", field("name", &ResidualLayer::name),
             field("kind", &ResidualLayer::kind), field("region", &ResidualLayer::region),
             field("tensors", &ResidualLayer::tensors), field("removed", &ResidualLayer::removed));
};

struct HostDescription {
  std::string name;
  std::vector<RegionDescription> regions;
  std::vector<RegionEdge> edges;
  std::vector<SlotDescription> slots;
  std::vector<CoupledGroup> coupled_groups;
  std::uint64_t parameters{};
  std::uint64_t operations{};              ///< multiply-accumulates per sample, forward
  std::vector<TensorDescription> tensors;  ///< parameters in the order of the flow; empty: the host
                                           ///< cannot be recounted, and is never cut
  std::vector<ResidualLayer> residual_layers{};  ///< in the order of the flow

  static constexpr auto schema =
      record("HostDescription", field("name", &HostDescription::name),
             field("regions", &HostDescription::regions), field("edges", &HostDescription::edges),
             field("slots", &HostDescription::slots),
             field("coupled_groups", &HostDescription::coupled_groups),
             field("parameters", &HostDescription::parameters),
             field("operations", &HostDescription::operations),
             field("tensors", &HostDescription::tensors),
             field("residual_layers", &HostDescription::residual_layers));
};

}  // namespace esper
