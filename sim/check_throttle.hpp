#pragma once
// THROTTLE-1 by the formula itself: the allowance of each cycle from what was really spent.
#include <map>
#include <optional>

#include "messages/configuration.hpp"
#include "sim/findings.hpp"
#include "sim/seen_turn.hpp"

namespace esper::sim {

class ThrottleCheck {
 public:
  ThrottleCheck(Findings& findings, const RunConfig& config, std::uint32_t regions)
      : findings_(findings), config_(config), regions_(regions) {}

  /// `spent`: by regions since the mint before, as counted from their movements.
  void take(const SeenTurn& turn, Energy spent);

 private:
  Findings& findings_;
  const RunConfig& config_;
  std::uint32_t regions_;
  std::map<RegionId, Energy> forecasts_;
  double smoothed_{};
  struct Bounds {
    std::int64_t least, most;
  };
  std::optional<Bounds> last_;  ///< thousandths: the cycle before, not held down
};

}  // namespace esper::sim
