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

}  // namespace esper
