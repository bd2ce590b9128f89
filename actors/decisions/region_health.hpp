#pragma once
// How a region fares: stable, volatile or in crisis, from its windows alone.
#include <string_view>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/telemetry.hpp"

namespace esper {

/// What past windows say. A plain value, folded window by window.
struct RegionHealth {
  double sigma_base{};             ///< slow average of loss_sigma over stable windows; 0: none yet
  double volatility{};             ///< v in [0, 1]; 0 before the first stable window
  std::uint32_t stable_windows{};  ///< in a row, up to now
  std::uint32_t alarming_windows{};  ///< in a row with two bands left
  bool non_finite{};                 ///< in the last window
  Window last;                       ///< the last window observed

  [[nodiscard]] bool in_crisis() const;
};

constexpr std::uint32_t crisis_windows = 2;
constexpr double crisis_volatility = 0.5;

/// Every band kept, no step missing, every number finite. NaN leaves each band.
[[nodiscard]] bool stable_window(const RegionTelemetry& seen, const GateConfig& gates);

/// What a scaffold answers for: a whole window with jitter, drift and diversity in their bands.
[[nodiscard]] bool rescued_window(const RegionTelemetry& seen, const GateConfig& gates);

/// Those of jitter, drift, diversity, signal and volatility that are out, by name; the two signals
/// count singly.
[[nodiscard]] std::vector<std::string_view> bands_left(const RegionTelemetry& seen,
                                                       double volatility, const GateConfig& gates);

/// Takes one window. `expected` is the window and region that should have come: telemetry of
/// another counts as a window missing, and so does a gap. A missing window is neither stable nor
/// alarming, so both counts begin anew; it ends no crisis.
void observe(RegionHealth& health, RegionId region, Window expected, const RegionTelemetry& seen,
             const GateConfig& gates);

}  // namespace esper
