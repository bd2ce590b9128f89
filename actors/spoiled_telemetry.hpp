#pragma once
// Telemetry as a fault would have it: no numbers, absurd ones, those of the window before, or twice
// the same.
#include <map>
#include <vector>

#include "messages/telemetry.hpp"

namespace esper {

/// A window that is told again is told the same again.
class TelemetrySpoiler {
 public:
  /// Spoils the report by each of `holding`, in order. False: it was told before, and nothing of
  /// `holding` was asked.
  bool spoil(WindowReport& report, const std::vector<Fault>& holding);

 private:
  std::vector<RegionTelemetry> before_;  ///< of the window before, as it was
  std::map<Window, std::vector<RegionTelemetry>> told_;
};

}  // namespace esper
