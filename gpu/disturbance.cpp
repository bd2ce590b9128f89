#include "gpu/disturbance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <torch/types.h>

#include "actors/decisions/random.hpp"
#include "gpu/isolation.hpp"

namespace esper {

namespace {

bool lasts(const DisturbanceConfig& disturbance, std::uint64_t step) {
  return step >= disturbance.at_step && step - disturbance.at_step < disturbance.steps;
}

}  // namespace

Disturbances::Disturbances(std::vector<DisturbanceConfig> planned, HostModel& host,
                           std::uint64_t seed, std::uint64_t classes)
    : planned_(std::move(planned)),
      host_(host),
      seed_(seed),
      classes_(classes),
      damaged_(planned_.size()) {
  const torch::NoGradGuard no_graph;
  for (const auto& disturbance : planned_) {
    const bool regional = disturbance.kind == DisturbanceKind::initial_gain ||
                          disturbance.kind == DisturbanceKind::weight_damage;
    if (!regional) continue;
    const auto weights = weights_of(disturbance);
    if (disturbance.kind == DisturbanceKind::initial_gain)
      for (const auto& weight : weights) weight.mul_(disturbance.amount);
  }
}

std::vector<at::Tensor> Disturbances::weights_of(const DisturbanceConfig& disturbance) {
  const auto& regions = host_.description().regions;
  const auto found = std::find_if(regions.begin(), regions.end(), [&](const auto& region) {
    return region.name == disturbance.region;
  });
  if (found == regions.end())
    throw std::runtime_error("a disturbance names the region \"" + disturbance.region +
                             "\", which the host does not have");
  auto weights = host_.region_parameters({static_cast<std::uint32_t>(found - regions.begin())});
  // Biases and norms are vectors.
  std::erase_if(weights, [](const at::Tensor& weight) { return weight.dim() < 2; });
  return weights;
}

void Disturbances::begin_step(std::uint64_t step) {
  for (std::size_t index = 0; index < planned_.size(); ++index) {
    const auto& disturbance = planned_[index];
    if (disturbance.kind != DisturbanceKind::weight_damage) continue;
    if (rewound_) damaged_[index] = step > disturbance.at_step ? 1 : 0;
    if (damaged_[index] != 0 || step != disturbance.at_step) continue;
    damage(disturbance, index);
    damaged_[index] = 1;
  }
  rewound_ = false;
}

void Disturbances::damage(const DisturbanceConfig& disturbance, std::uint64_t index) {
  const torch::NoGradGuard no_graph;
  auto stream = own_generator(seed_, "weight_damage", index);
  for (const auto& weight : weights_of(disturbance)) {
    const double deviation = weight.std(/*unbiased=*/false).item<double>();
    const auto noise = torch::empty_like(weight).normal_(0, 1, stream);
    weight.add_(noise, disturbance.amount * deviation);
  }
}

std::vector<std::uint64_t> Disturbances::memory() const {
  std::vector<std::uint64_t> words{rewound_ ? 1U : 0U};
  for (const char damaged : damaged_) words.push_back(damaged != 0 ? 1U : 0U);
  return words;
}

void Disturbances::remember(const std::vector<std::uint64_t>& words) {
  if (words.size() != 1 + damaged_.size())
    throw std::runtime_error("remembers other disturbances: go on with its run's config");
  rewound_ = words[0] != 0;
  for (std::size_t i = 0; i < damaged_.size(); ++i) damaged_[i] = words[i + 1] != 0 ? 1 : 0;
}

double Disturbances::learning_rate_factor(std::uint64_t step) const {
  double factor = 1;
  for (const auto& disturbance : planned_)
    if (disturbance.kind == DisturbanceKind::learning_rate_spike && lasts(disturbance, step))
      factor *= disturbance.amount;
  return factor;
}

at::Tensor Disturbances::labels(std::uint64_t step, at::Tensor labels) const {
  bool own = false;
  for (std::size_t index = 0; index < planned_.size(); ++index) {
    const auto& disturbance = planned_[index];
    if (disturbance.kind != DisturbanceKind::label_noise || !lasts(disturbance, step)) continue;
    if (!own) labels = labels.clone();
    own = true;
    // Which ones: the first places of a shuffle.
    RandomStream stream(seed_, "label_noise" + std::to_string(index), step);
    const auto count = static_cast<std::size_t>(labels.numel());
    const auto redrawn = std::min(
        count,
        static_cast<std::size_t>(std::lround(disturbance.amount * static_cast<double>(count))));
    std::vector<std::size_t> places(count);
    std::iota(places.begin(), places.end(), 0);
    auto* label = labels.mutable_data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < redrawn; ++i) {
      std::swap(places[i], places[i + stream.below(count - i)]);
      label[places[i]] = static_cast<std::int64_t>(stream.below(classes_));
    }
  }
  return labels;
}

}  // namespace esper
