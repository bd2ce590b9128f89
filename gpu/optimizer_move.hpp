#pragma once
// Parameters change optimizers, or leave them.
#include <algorithm>
#include <memory>
#include <vector>

#include <torch/optim/optimizer.h>

namespace esper {

/// Takes parameters out of their groups and drops their moments; groups left empty go, too. Before
/// a parameter dies: the state map's key is a raw pointer, and a later tensor at that address would
/// inherit the moments.
inline void forget_parameters(torch::optim::Optimizer& optimizer,
                              const std::vector<torch::Tensor>& parameters) {
  auto& groups = optimizer.param_groups();
  for (const torch::Tensor& parameter : parameters) {
    optimizer.state().erase(parameter.unsafeGetTensorImpl());
    for (auto& group : groups)
      std::erase_if(group.params(),
                    [&](const torch::Tensor& held) { return held.is_same(parameter); });
  }
  std::erase_if(groups, [](const auto& group) { return group.params().empty(); });
}

/// Moves parameters with their moments between optimizers of one kind, into a group of their own
/// with exactly `options`; training goes on bit for bit as if they had stayed.
/// The order matters: add_param_group refuses a parameter that has state, and replaces options that
/// equal the library's defaults by the optimizer's, hence set_options.
inline void move_parameters(torch::optim::Optimizer& from, torch::optim::Optimizer& to,
                            const std::vector<torch::Tensor>& parameters,
                            std::unique_ptr<torch::optim::OptimizerOptions> options) {
  std::vector<std::unique_ptr<torch::optim::OptimizerParamState>> states;
  for (const torch::Tensor& parameter : parameters) {
    const auto found = from.state().find(parameter.unsafeGetTensorImpl());
    states.push_back(found == from.state().end() ? nullptr : std::move(found->second));
  }
  forget_parameters(from, parameters);
  to.add_param_group(torch::optim::OptimizerParamGroup(parameters));
  to.param_groups().back().set_options(std::move(options));
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (states[i]) to.state()[parameters[i].unsafeGetTensorImpl()] = std::move(states[i]);
}

}  // namespace esper
