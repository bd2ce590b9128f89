#pragma once
// How far regions lie apart: hops along edges, whichever way activations flow, skip edges too.
#include <vector>

#include "messages/host.hpp"

namespace esper {

/// Every region within `radius` hops of `from`, itself among them, ascending. Edges to regions that
/// there are not (`regions` of them) lead nowhere; an unknown `from` has nothing around it.
[[nodiscard]] std::vector<RegionId> regions_within(const std::vector<RegionEdge>& edges,
                                                   std::uint32_t regions, RegionId from,
                                                   std::uint32_t radius);

}  // namespace esper
