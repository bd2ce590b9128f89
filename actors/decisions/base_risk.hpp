#pragma once
// From what was measured on a design to its base risk r0.
#include "actors/decisions/number.hpp"

namespace esper {

struct RiskMeasurement {
  double gradient_gain{};  ///< RMS of d(h+f)/dh against the incoming gradient
  double output_gain{};    ///< largest RMS(h+f(h)) / RMS(h)
  double bytes_share{};    ///< bytes held over the region's, >= 0
  bool non_finite{};
};

/// r0 = min(1, 0.1 + 0.2 clip(gradient gain - 1, 0, 2) + 0.2 clip(output gain - 1, 0, 2)
///             + 0.1 min(1, bytes share) + 0.5 if non-finite). NaN counts as the worst value.
[[nodiscard]] constexpr double base_risk(const RiskMeasurement& measured) {
  const double risk = 0.1 + 0.2 * clip(measured.gradient_gain - 1, 0, 2) +
                      0.2 * clip(measured.output_gain - 1, 0, 2) +
                      0.1 * clip(measured.bytes_share, 0, 1) + (measured.non_finite ? 0.5 : 0.0);
  return clip(risk, 0, 1);
}

}  // namespace esper
