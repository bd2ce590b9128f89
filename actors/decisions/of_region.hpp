#pragma once
// One region's part of a list.
#include <algorithm>
#include <vector>

#include "messages/units.hpp"

namespace esper {

/// The part whose `region` it is; null: there is none. Lists stand in the regions' order wherever
/// Esper makes them, so that a turn of many regions is not looked through once for each; one in
/// another order is looked through.
template <typename Part>
[[nodiscard]] const Part* of_region(const std::vector<Part>& parts, RegionId region) {
  const auto near =
      std::lower_bound(parts.begin(), parts.end(), region,
                       [](const Part& part, RegionId wanted) { return part.region < wanted; });
  if (near != parts.end() && near->region == region) return &*near;
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const Part& part) { return part.region == region; });
  return found == parts.end() ? nullptr : &*found;
}

}  // namespace esper
