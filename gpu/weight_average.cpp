#include "gpu/weight_average.hpp"

#include <algorithm>

#include <ATen/core/grad_mode.h>

namespace esper {

void WeightAverage::take(const std::vector<at::Tensor>& parameters, std::uint64_t updates) {
  constexpr double updates_remembered = 50;
  const at::NoGradGuard no_graph;
  if (averages_.empty()) {
    for (const auto& parameter : parameters) averages_.push_back(parameter.detach().clone());
    return;
  }
  const double share = std::max(1 / updates_remembered,
                                1 / static_cast<double>(std::max<std::uint64_t>(updates, 1)));
  for (std::size_t i = 0; i < parameters.size(); ++i)
    averages_[i].lerp_(parameters[i].detach(), share);
}

void WeightAverage::exchange(const std::vector<at::Tensor>& parameters) {
  const at::NoGradGuard no_graph;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const auto weights = parameters[i].detach();
    const auto kept = weights.clone();
    weights.copy_(averages_[i]);
    averages_[i].copy_(kept);
  }
}

void WeightAverage::settle(const std::vector<at::Tensor>& parameters) {
  exchange(parameters);
  averages_.clear();
}

}  // namespace esper
