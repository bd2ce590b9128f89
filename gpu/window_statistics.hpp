#pragma once
// Statistics of one window's steps: plain arithmetic over memory that the caller keeps.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace esper {

[[nodiscard]] inline double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// Standard deviation around the least-squares line through values at 0, 1, 2, …; 0 for fewer
/// than three values, which any line meets.
[[nodiscard]] inline double detrended_sigma(std::span<const double> values) {
  if (values.size() < 3) return 0;
  const auto count = static_cast<double>(values.size());
  const double middle = (count - 1) / 2;
  const double mean = mean_of(values);
  double along = 0, spread = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double offset = static_cast<double>(i) - middle;
    along += offset * (values[i] - mean);
    spread += offset * offset;
  }
  const double slope = along / spread;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double rest = values[i] - mean - slope * (static_cast<double>(i) - middle);
    squares += rest * rest;
  }
  return std::sqrt(squares / count);
}

/// The value below which `share` of the values lie, by nearest rank; reorders `values`. 0 when
/// empty.
[[nodiscard]] inline double quantile(std::span<double> values, double share) {
  if (values.empty()) return 0;
  const auto wanted = std::ceil(share * static_cast<double>(values.size()));
  const auto rank = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, values.size()) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank),
                   values.end());
  return values[rank];
}

/// Relative rise over `before`; 0 where there is no before.
[[nodiscard]] inline double relative_rise(double present, double before) {
  return before > 0 ? (present - before) / before : 0;
}

}  // namespace esper
