#pragma once
// What a host comes to when channels or whole layers leave: counted anew from its tensors' shapes,
// without them.
#include <string>
#include <vector>

#include "messages/host.hpp"
#include "messages/pruning.hpp"
#include "messages/result.hpp"

namespace esper {

/// The host after `cuts`, and without the residual `layers`: every regional, slot and host-wide
/// count follows from the shapes in `host.tensors`, and slots keep their place in the flow. A layer
/// that leaves takes every entry of its tensors, and all channels of the groups inside it.
/// Errors: uncoupled (a group, channel or layer that the description does not have or that has
/// left, a dimension that is not channels times stride, channels not ascending or none kept, a
/// group that is cut while its layer leaves or reaches out of it, or a host whose own counts do not
/// follow from its shapes: it is not described well enough to be cut).
[[nodiscard]] Result<HostDescription, SurgeryRefusal> after_cuts(
    const HostDescription& host, const std::vector<GroupCut>& cuts,
    const std::vector<std::string>& layers = {});

/// Every region that a cut in this group changes: the owners of its tensors, of the slots that its
/// channels pass through, and its own. Ascending; regions that the host does not have are left out.
[[nodiscard]] std::vector<RegionId> regions_touched(const HostDescription& host,
                                                    const CoupledGroup& group);
/// Every region that changes when the layer leaves: the owners of its tensors and its own.
[[nodiscard]] std::vector<RegionId> regions_touched(const HostDescription& host,
                                                    const ResidualLayer& layer);

/// Multiply-accumulates per sample from the first tensor that the group touches to the loss; all of
/// the host's where none of its tensors is a parameter.
[[nodiscard]] std::uint64_t operations_behind(const HostDescription& host,
                                              const CoupledGroup& group);
[[nodiscard]] std::uint64_t operations_behind(const HostDescription& host,
                                              const ResidualLayer& layer);

/// Null: the host has none of this name.
[[nodiscard]] const ResidualLayer* residual_layer(const HostDescription& host,
                                                  const std::string& name);

/// Whether the layer's region would be left without any residual layer.
[[nodiscard]] bool last_of_region(const HostDescription& host, const ResidualLayer& layer);

}  // namespace esper
