#include "gpu/norm_refresh.hpp"

#include <torch/nn/modules/batchnorm.h>

namespace esper {

void refresh_norms(HostModel& host, const Batch& batch) {
  std::vector<std::pair<torch::nn::BatchNorm2dImpl*, std::optional<double>>> norms;
  for (const auto& module : host.module().modules(/*include_self=*/false))
    if (auto* norm = module->as<torch::nn::BatchNorm2dImpl>())
      norms.emplace_back(norm, norm->options.momentum());
  const torch::NoGradGuard no_graph;
  for (const auto& [norm, momentum] : norms) {
    norm->train();
    norm->options.momentum(1.0);
  }
  (void)host.forward(batch.inputs);
  for (const auto& [norm, momentum] : norms) {
    norm->eval();
    norm->options.momentum(momentum);
  }
  for (Slot& slot : host.slots()) slot.forget();
}

}  // namespace esper
