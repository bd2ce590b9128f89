#include "gpu/snapshot.hpp"

#include <algorithm>

#include "messages/result.hpp"

namespace esper {
namespace {

using torch::Tensor;
using State = torch::optim::AdamWParamState;

/// Copies into pages that are already there: three to four times faster than a clone.
void keep(Tensor& into, const Tensor& from, std::size_t& bytes) {
  if (!from.defined()) {
    into.reset();
    return;
  }
  bytes += from.nbytes();
  if (into.defined() && into.sizes() == from.sizes() && into.dtype() == from.dtype())
    into.copy_(from.detach());
  else
    into = from.detach().clone();
}

/// The TensorImpl stays: registries, groups and optimizers' keys remain valid, also when the shape
/// has changed.
void put(const Tensor& live, const Tensor& value) {
  if (live.sizes() == value.sizes())
    live.detach().copy_(value);
  else
    live.set_data(value.clone());
}

}  // namespace

void Snapshot::take_optimizer(torch::optim::Optimizer& optimizer, Saved& saved) {
  saved.optimizer = &optimizer;
  saved.groups.clear();
  std::size_t used = 0;
  for (auto& group : optimizer.param_groups()) {
    saved.groups.emplace_back(group);
    for (const Tensor& parameter : group.params()) {
      const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
      if (found == optimizer.state().end()) continue;
      auto& state = static_cast<State&>(*found->second);
      if (used == saved.moments.size()) saved.moments.emplace_back();
      Moments& moments = saved.moments[used++];
      moments.key = parameter.unsafeGetTensorImpl();
      moments.step = state.step();
      keep(moments.first, state.exp_avg(), bytes_);
      keep(moments.second, state.exp_avg_sq(), bytes_);
      keep(moments.largest, state.max_exp_avg_sq(), bytes_);
    }
  }
  saved.moments.resize(used);
}

void Snapshot::take(const std::vector<Tensor>& tensors,
                    const std::vector<torch::optim::Optimizer*>& optimizers,
                    const std::vector<at::Generator>& generators) {
  torch::NoGradGuard guard;
  taken_ = false;
  bytes_ = 0;
  tensors_.resize(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    tensors_[i].first = tensors[i];
    keep(tensors_[i].second, tensors[i], bytes_);
  }
  optimizers_.resize(optimizers.size());
  for (std::size_t i = 0; i < optimizers.size(); ++i)
    take_optimizer(*optimizers[i], optimizers_[i]);
  generators_.clear();
  for (const at::Generator& generator : generators)
    generators_.emplace_back(generator, generator.get_state());
  taken_ = true;
}

void Snapshot::restore_optimizer(Saved& saved) {
  torch::optim::Optimizer& optimizer = *saved.optimizer;
  auto& states = optimizer.state();
  const auto held = [&](void* key) {
    return std::any_of(saved.moments.begin(), saved.moments.end(),
                       [&](const Moments& moments) { return moments.key == key; });
  };
  for (auto state = states.begin(); state != states.end();)
    state = held(state->first) ? std::next(state) : states.erase(state);
  for (const Moments& moments : saved.moments) {
    auto& slot = states[moments.key];
    if (!slot) slot = std::make_unique<State>();
    auto& state = static_cast<State&>(*slot);
    state.step(moments.step);
    const auto put_moment = [](const Tensor& live, const Tensor& value) {
      return live.defined() && value.defined() && live.sizes() == value.sizes()
                 ? live.copy_(value)
                 : (value.defined() ? value.clone() : Tensor{});
    };
    state.exp_avg(put_moment(state.exp_avg(), moments.first));
    state.exp_avg_sq(put_moment(state.exp_avg_sq(), moments.second));
    state.max_exp_avg_sq(put_moment(state.max_exp_avg_sq(), moments.largest));
  }
  optimizer.param_groups().clear();
  for (const auto& group : saved.groups) optimizer.param_groups().emplace_back(group);
}

Tensor Snapshot::value_of(const Tensor& live) const {
  for (const auto& [place, value] : tensors_)
    if (place.is_same(live)) return value;
  return {};
}

const Snapshot::Moments* Snapshot::moments_of(const Tensor& parameter) const {
  for (const Saved& saved : optimizers_)
    for (const Moments& moments : saved.moments)
      if (moments.key == parameter.unsafeGetTensorImpl()) return &moments;
  return nullptr;
}

Tensor Snapshot::state_of(const at::Generator& generator) const {
  for (const auto& [stream, state] : generators_)
    if (stream == generator) return state;
  return {};
}

std::vector<torch::optim::OptimizerParamGroup> Snapshot::groups_of(
    const torch::optim::Optimizer& optimizer) const {
  for (const Saved& saved : optimizers_)
    if (saved.optimizer == &optimizer) return saved.groups;
  return {};
}

void Snapshot::restore() {
  if (!taken_) throw InvariantViolation("there is no hot checkpoint to restore");
  torch::NoGradGuard guard;
  for (const auto& [live, value] : tensors_) {
    put(live, value);
    live.mutable_grad().reset();
  }
  for (Saved& saved : optimizers_) restore_optimizer(saved);
  for (auto& [generator, state] : generators_) generator.set_state(state);
}

}  // namespace esper
