#pragma once
// Overrides that hold. A plain value, told every turn by every role that they bind.
#include <algorithm>
#include <string>
#include <vector>

#include "messages/host.hpp"
#include "messages/override.hpp"

namespace esper {

class Overrides {
 public:
  /// One turn: what was given joins, what ended before it leaves.
  void follow(const std::vector<Override>& given, Window now) {
    held_.insert(held_.end(), given.begin(), given.end());
    std::erase_if(held_, [&](const Override& one) { return one.until < now; });
  }
  /// The newest of that kind that holds; null: none does. Posture belongs to no region.
  [[nodiscard]] const Override* held(OverrideKind kind, RegionId region = {}) const {
    const auto found = std::find_if(held_.rbegin(), held_.rend(), [&](const Override& one) {
      return one.kind == kind && (kind == OverrideKind::posture || one.region == region);
    });
    return found == held_.rend() ? nullptr : &*found;
  }

 private:
  friend struct StateFields;  // tests' list of all fields

  std::vector<Override> held_;  ///< in the order in which they came
};

/// Why an override can't be taken in before the turn of `next`; "": it can.
[[nodiscard]] inline std::string flaw_of(const Override& asked, const HostDescription& host,
                                         Window next) {
  if (asked.why.empty()) return "it gives no reason";
  if (asked.kind != OverrideKind::posture && asked.region.value >= host.regions.size())
    return "there is no region " + std::to_string(asked.region.value);
  if (asked.from.value > 0 && asked.from < next)
    return "window " + std::to_string(asked.from.value) + " is over; the next turn is that of " +
           std::to_string(next.value);
  const Window from = asked.from.value > 0 ? asked.from : next;
  if (asked.kind != OverrideKind::escape && asked.until < from)
    return "it ends before the turn of window " + std::to_string(from.value);
  if (asked.kind == OverrideKind::grant && asked.energy < Energy{}) return "it grants less than 0";
  return "";
}

}  // namespace esper
