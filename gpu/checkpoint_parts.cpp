#include "gpu/checkpoint_parts.hpp"

#include <ATen/CPUGeneratorImpl.h>

namespace esper {

namespace {

using torch::Tensor;
using State = torch::optim::AdamWParamState;

template <typename... Kinds>
struct Overloaded : Kinds... {
  using Kinds::operator()...;
};
template <typename... Kinds>
Overloaded(Kinds...) -> Overloaded<Kinds...>;

Tensor of_step(std::int64_t step) { return torch::tensor(step, torch::kInt64); }

Tensor read_moment(const MomentPlace& place) {
  const auto& states = place.optimizer->state();
  const auto found = states.find(place.parameter.unsafeGetTensorImpl());
  if (found == states.end()) return {};
  auto& state = static_cast<State&>(*found->second);
  switch (place.moment) {
    case Moment::first:
      return state.exp_avg();
    case Moment::second:
      return state.exp_avg_sq();
    case Moment::largest:
      return state.max_exp_avg_sq();
    case Moment::step:
      return of_step(state.step());
  }
  return {};
}

Tensor read_moment(const MomentPlace& place, const Snapshot& snapshot) {
  const auto* held = snapshot.moments_of(place.parameter);
  if (held == nullptr) return {};
  switch (place.moment) {
    case Moment::first:
      return held->first;
    case Moment::second:
      return held->second;
    case Moment::largest:
      return held->largest;
    case Moment::step:
      return of_step(held->step);
  }
  return {};
}

void write_moment(const MomentPlace& place, const Tensor& value) {
  auto& slot = place.optimizer->state()[place.parameter.unsafeGetTensorImpl()];
  if (!slot) slot = std::make_unique<State>();
  auto& state = static_cast<State&>(*slot);
  switch (place.moment) {
    case Moment::first:
      state.exp_avg(value.clone());
      return;
    case Moment::second:
      state.exp_avg_sq(value.clone());
      return;
    case Moment::largest:
      state.max_exp_avg_sq(value.clone());
      return;
    case Moment::step:
      state.step(value.item<std::int64_t>());
  }
}

void write_tensor(const Tensor& live, const Tensor& value) {
  live.mutable_grad().reset();
  if (live.sizes() == value.sizes())
    live.detach().copy_(value);
  else
    live.set_data(value.clone());
}

void add_module(std::vector<Part>& parts, const std::string& name, const std::string& moments,
                torch::nn::Module& module, torch::optim::Optimizer& optimizer) {
  for (const auto& parameter : module.named_parameters()) {
    parts.push_back({name + parameter.key(), parameter.value()});
    const auto add = [&](const char* which, Moment moment) {
      parts.push_back(
          {moments + parameter.key() + which, MomentPlace{&optimizer, parameter.value(), moment}});
    };
    add(".step", Moment::step);
    add(".first", Moment::first);
    add(".second", Moment::second);
    add(".largest", Moment::largest);
  }
  for (const auto& buffer : module.named_buffers())
    parts.push_back({name + buffer.key(), buffer.value()});
}

}  // namespace

Tensor Part::read() const {
  return std::visit(
      Overloaded{[](const Tensor& live) { return live.detach(); },
                 [](const MomentPlace& moment) { return read_moment(moment); },
                 [](const at::Generator& generator) { return generator.get_state(); }},
      place);
}

Tensor Part::read(const Snapshot& snapshot) const {
  return std::visit(
      Overloaded{[&](const Tensor& live) { return snapshot.value_of(live); },
                 [&](const MomentPlace& moment) { return read_moment(moment, snapshot); },
                 [&](const at::Generator& generator) { return snapshot.state_of(generator); }},
      place);
}

void Part::write(const Tensor& value) const {
  const torch::NoGradGuard no_graph;
  std::visit(Overloaded{[&](const Tensor& live) { write_tensor(live, value); },
                        [&](const MomentPlace& moment) { write_moment(moment, value); },
                        [&](at::Generator generator) { generator.set_state(value); }},
             place);
}

std::vector<Part> host_parts(HostModel& host, torch::optim::Optimizer& optimizer,
                             const SeedBed& bed, const SessionData& data) {
  std::vector<Part> parts;
  add_module(parts, "host.", "host_optimizer.", host.module(), optimizer);
  for (const auto& live : bed.seeds())
    if (live->fossilised())
      parts.push_back(
          {"generator.seed." + std::to_string(live->seed->id.value), live->seed->generator});
  parts.push_back({"generator.global", at::detail::getDefaultCPUGenerator()});
  for (std::size_t i = 0; i < data.generators.size(); ++i)
    parts.push_back({"generator.loop." + std::to_string(i), data.generators[i]});
  return parts;
}

std::vector<Part> seed_parts(const LiveSeed& live) {
  std::vector<Part> parts;
  const std::string id = std::to_string(live.seed->id.value);
  parts.push_back({"generator.seed." + id, live.seed->generator});
  for (std::size_t member = 0; member < live.seed->modules.size(); ++member) {
    const std::string place = id + "." + std::to_string(member) + ".";
    add_module(parts, "seed." + place, "seed_optimizer." + place, *live.seed->modules[member],
               *live.optimizer);
  }
  const auto& averages = live.average.tensors();
  for (std::size_t i = 0; i < averages.size(); ++i)
    parts.push_back({"average." + id + "." + std::to_string(i), averages[i]});
  return parts;
}

std::map<const at::TensorImpl*, std::string> names_of(const std::vector<Part>& parts) {
  std::map<const at::TensorImpl*, std::string> names;
  for (const Part& part : parts)
    if (const auto* live = std::get_if<Tensor>(&part.place))
      names.emplace(live->unsafeGetTensorImpl(), part.name);
  return names;
}

}  // namespace esper
