#pragma once
// Linear least squares with a prior, learned sample by sample.
#include <array>
#include <cmath>
#include <cstddef>

#include "actors/decisions/number.hpp"

namespace esper {

/// Minimises the sum of (y - w.x)^2, plus strength * |w - prior|^2: the prior counts as much as
/// `strength` samples in each direction. `Size` stays small: an update is Size^2.
template <std::size_t Size>
class RidgeRegression {
 public:
  using Vector = std::array<double, Size>;

  /// `strength` > 0.
  RidgeRegression(const Vector& prior, double strength) : weights_(prior) {
    for (std::size_t i = 0; i < Size; ++i) inverse_[i][i] = 1 / strength;
  }

  /// A sample that is not finite, or would make the state so, is left out.
  /// source  Sherman and Morrison 1950, recursive least squares
  void learn(const Vector& features, double target) {
    const Vector direction = times_inverse(features);
    const double scale = 1 + dot(features, direction);
    const double error = (target - mean(features)) / scale;
    if (!finite(scale) || !finite(error)) return;
    for (std::size_t i = 0; i < Size; ++i) {
      weights_[i] += direction[i] * error;
      for (std::size_t j = 0; j < Size; ++j) inverse_[i][j] -= direction[i] * direction[j] / scale;
    }
  }

  /// Expected y.
  [[nodiscard]] double mean(const Vector& features) const { return dot(weights_, features); }

  /// sqrt(x' A^-1 x): how little is known in this direction, in deviations of y's noise.
  [[nodiscard]] double width(const Vector& features) const {
    const double squared = dot(features, times_inverse(features));
    return squared > 0 ? std::sqrt(squared) : 0;
  }

  [[nodiscard]] const Vector& weights() const { return weights_; }

 private:
  friend struct StateFields;  // tests' list of all fields

  [[nodiscard]] static double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < Size; ++i) sum += a[i] * b[i];
    return sum;
  }
  [[nodiscard]] Vector times_inverse(const Vector& features) const {
    Vector product{};
    for (std::size_t i = 0; i < Size; ++i) product[i] = dot(inverse_[i], features);
    return product;
  }

  Vector weights_;
  std::array<Vector, Size> inverse_{};  ///< of strength * I + sum of x x'
};

}  // namespace esper
