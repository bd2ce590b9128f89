#include "gpu/vital_signs.hpp"

#include <algorithm>
#include <limits>

#include <Eigen/Eigenvalues>

#include "messages/result.hpp"

namespace esper {

double sum_of_squares(const at::Tensor& tensor) {
  if (tensor.is_contiguous() || tensor.is_non_overlapping_and_dense())
    return sum_of_squares(tensor.const_data_ptr<float>(), tensor.numel());
  const at::Tensor dense = tensor.detach().contiguous();
  return sum_of_squares(dense.const_data_ptr<float>(), dense.numel());
}

double root_mean_square(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return 0;
  return std::sqrt(sum_of_squares(tensor) / static_cast<double>(tensor.numel()));
}

bool all_finite(const at::Tensor& tensor) {
  if (tensor.is_contiguous() || tensor.is_non_overlapping_and_dense())
    return all_finite(tensor.const_data_ptr<float>(), tensor.numel());
  const at::Tensor dense = tensor.detach().contiguous();
  return all_finite(dense.const_data_ptr<float>(), dense.numel());
}

double gradient_norm(const std::vector<at::Tensor>& parameters) {
  double total = 0;
  for (const at::Tensor& parameter : parameters)
    if (const at::Tensor& gradient = parameter.grad(); gradient.defined())
      total += sum_of_squares(gradient);
  return std::sqrt(total);
}

struct EffectiveRank::Workspace {
  Workspace(std::int64_t channel_count, std::int64_t rows)
      : channels(channel_count),
        rows_max(rows),
        features(rows, channel_count),
        covariance(channel_count, channel_count),
        solver(channel_count) {}

  std::int64_t channels, rows_max;
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> features;
  Eigen::MatrixXd covariance;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
};

EffectiveRank::EffectiveRank(std::int64_t channels, std::int64_t rows_max, Layout layout)
    : layout_(layout), workspace_(std::make_unique<Workspace>(channels, rows_max)) {}
EffectiveRank::~EffectiveRank() = default;
EffectiveRank::EffectiveRank(EffectiveRank&&) noexcept = default;
EffectiveRank& EffectiveRank::operator=(EffectiveRank&&) noexcept = default;

std::int64_t EffectiveRank::pool_images(const at::Tensor& dense) {
  Workspace& work = *workspace_;
  const std::int64_t rows = std::min(dense.size(0), work.rows_max);
  if (rows == 0) return 0;
  const std::int64_t positions = dense.numel() / (dense.size(0) * work.channels);
  const float* next = dense.const_data_ptr<float>();
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t channel = 0; channel < work.channels; ++channel) {
      float sum = 0;
      for (std::int64_t position = 0; position < positions; ++position) sum += *next++;
      work.features(row, channel) = static_cast<double>(sum);
    }
  return rows;
}

std::int64_t EffectiveRank::pool_sequences(const at::Tensor& dense) {
  Workspace& work = *workspace_;
  const std::int64_t samples = std::min(dense.size(0), work.rows_max), positions = dense.size(1);
  if (samples == 0 || positions == 0) return 0;
  const std::int64_t stretches = std::min(work.rows_max / samples, positions);
  const std::int64_t length = positions / stretches;
  for (std::int64_t row = 0; row < samples * stretches; ++row) {
    const std::int64_t first = row / stretches * positions + row % stretches * length;
    const float* next = dense.const_data_ptr<float>() + first * work.channels;
    work.features.row(row).setZero();
    for (std::int64_t position = 0; position < length; ++position)
      for (std::int64_t channel = 0; channel < work.channels; ++channel)
        work.features(row, channel) += static_cast<double>(*next++);
  }
  return samples * stretches;
}

double EffectiveRank::operator()(const at::Tensor& activations) {
  Workspace& work = *workspace_;
  const bool of_sequences = layout_ == Layout::sequence;
  const std::int64_t channels_at = of_sequences ? 2 : 1;
  if (activations.dim() <= channels_at || activations.size(channels_at) != work.channels)
    throw InvariantViolation("effective rank: activations of another width");
  const at::Tensor dense =
      activations.is_contiguous() ? activations : activations.detach().contiguous();
  const std::int64_t rows = of_sequences ? pool_sequences(dense) : pool_images(dense);
  if (rows == 0) return 1;
  double level = 0;  // of what all samples share
  for (std::int64_t channel = 0; channel < work.channels; ++channel) {
    double mean = 0;
    for (std::int64_t row = 0; row < rows; ++row) mean += work.features(row, channel);
    mean /= static_cast<double>(rows);
    level += static_cast<double>(rows) * mean * mean;
    for (std::int64_t row = 0; row < rows; ++row) work.features(row, channel) -= mean;
  }
  double trace = 0;
  for (std::int64_t a = 0; a < work.channels; ++a)
    for (std::int64_t b = 0; b <= a; ++b) {
      double product = 0;
      for (std::int64_t row = 0; row < rows; ++row)
        product += work.features(row, a) * work.features(row, b);
      work.covariance(a, b) = product;
      work.covariance(b, a) = product;
      if (a == b) trace += product;
    }
  if (!std::isfinite(trace)) return std::numeric_limits<double>::quiet_NaN();
  constexpr double rounding = 1e-12;  // float32's, squared, with room
  if (trace <= rounding * level) return 0;
  work.solver.compute(work.covariance, Eigen::EigenvaluesOnly);
  double entropy = 0;
  for (std::int64_t i = 0; i < work.channels; ++i) {
    const double share = work.solver.eigenvalues()[i] / trace;
    if (share > 0) entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

}  // namespace esper
