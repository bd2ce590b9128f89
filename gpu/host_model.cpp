#include "gpu/host_model.hpp"

#include <algorithm>

#include "messages/result.hpp"

namespace esper {
namespace {

/// Submodules' names hold no dots.
std::string adopted_name(const std::string& slot) {
  std::string name = "seed_" + slot;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace

HostModel::HostModel(HostDescription description) : description_(std::move(description)) {
  slots_.reserve(description_.slots.size());
  for (const SlotDescription& slot : description_.slots) slots_.emplace_back(slot);
  forget_layers();
}

void HostModel::describe(HostDescription description) {
  if (description.slots.size() != slots_.size())
    throw InvariantViolation("surgery neither makes nor removes slots");
  if (description.residual_layers.size() != description_.residual_layers.size())
    throw InvariantViolation("surgery leaves a residual layer's name where it was");
  description_ = std::move(description);
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].describe(description_.slots[i]);
}

std::vector<torch::Tensor> HostModel::region_parameters(RegionId region) {
  const auto& prefixes = description_.regions.at(region.value).parameter_prefixes;
  std::vector<torch::Tensor> held;
  for (const auto& parameter : module().named_parameters())
    if (!parameter.key().starts_with("seed_") && parameter.value().numel() > 0 &&
        std::any_of(prefixes.begin(), prefixes.end(),
                    [&](const std::string& prefix) { return parameter.key().starts_with(prefix); }))
      held.push_back(parameter.value());
  return held;
}

void HostModel::adopt(const Seed& seed) {
  for (std::size_t i = 0; i < seed.slots.size(); ++i)
    module().register_module(adopted_name(description_.slots.at(seed.slots[i].value).name),
                             std::shared_ptr<torch::nn::Module>(seed.modules[i]));
}

void HostModel::release(const Seed& seed) {
  for (const SlotId slot : seed.slots)
    module().unregister_module(adopted_name(description_.slots.at(slot.value).name));
}

}  // namespace esper
