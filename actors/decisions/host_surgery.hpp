#pragma once
// What a host comes to when channels leave: counted anew from its tensors' shapes, without them.
#include <vector>

#include "messages/host.hpp"
#include "messages/pruning.hpp"
#include "messages/result.hpp"

namespace esper {

/// The host after `cuts`: every regional, slot and host-wide count follows from the shapes in
/// `host.tensors`, and slots keep their place in the flow.
/// Errors: uncoupled (a group or channel that the description does not have, a dimension that is
/// not channels times stride, channels not ascending or none kept, or a host whose own counts do
/// not follow from its shapes: it is not described well enough to be cut).
[[nodiscard]] Result<HostDescription, SurgeryRefusal> after_cuts(const HostDescription& host,
                                                                 const std::vector<GroupCut>& cuts);

/// Every region that a cut in this group changes: the owners of its tensors, of the slots that its
/// channels pass through, and its own. Ascending; regions that the host does not have are left out.
[[nodiscard]] std::vector<RegionId> regions_touched(const HostDescription& host,
                                                    const CoupledGroup& group);

/// Multiply-accumulates per sample from the first tensor that the group touches to the loss; all of
/// the host's where none of its tensors is a parameter.
[[nodiscard]] std::uint64_t operations_behind(const HostDescription& host,
                                              const CoupledGroup& group);

}  // namespace esper
