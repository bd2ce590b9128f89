#include "gpu/step_undo.hpp"

#include "messages/result.hpp"

namespace esper {

void StepUndo::take(HostModel& host, SeedBed* bed, const SessionData& data) {
  std::vector<at::Tensor> tensors = host.module().buffers();
  std::vector<torch::optim::Optimizer*> optimizers;
  seeds_.clear();
  if (bed != nullptr)
    for (const auto& live : bed->seeds()) {
      if (live->fossilised()) continue;
      const auto add = [&](const std::vector<at::Tensor>& some) {
        tensors.insert(tensors.end(), some.begin(), some.end());
      };
      add(live->parameters);
      add(live->seed->buffers());
      add(live->average.tensors());
      optimizers.push_back(live->optimizer.get());
      seeds_.push_back({.live = live.get(),
                        .ramp = live->ramp,
                        .alpha = live->seed->alpha,
                        .relative_norm = live->relative_norm,
                        .gradient_norm = live->gradient_norm,
                        .updates = live->updates,
                        .non_finite = live->non_finite,
                        .silenced = live->silenced,
                        .averaged = !live->average.tensors().empty()});
    }
  kept_.take(tensors, optimizers, data.generators);
  if (data.position) position_ = data.position();
}

void StepUndo::restore(const SessionData& data) {
  kept_.restore();
  for (const SeedState& then : seeds_) {
    LiveSeed& live = *then.live;
    live.ramp = then.ramp;
    live.set_alpha(then.alpha);
    live.relative_norm = then.relative_norm;
    live.gradient_norm = then.gradient_norm;
    live.updates = then.updates;
    live.non_finite = then.non_finite;
    live.silenced = then.silenced;
    if (!then.averaged) live.average.put({});
  }
  // What a loop remembers else stays: what has befallen its weights in this step is there still.
  const auto memory = data.memory ? data.memory() : std::vector<std::uint64_t>{};
  if (data.set_position) data.set_position(position_);
  if (data.set_memory) data.set_memory(memory);
}

}  // namespace esper
