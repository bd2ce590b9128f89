#include "gpu/checkpoint_content.hpp"

#include <map>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

namespace esper {

namespace {

using torch::Tensor;
using State = torch::optim::AdamWParamState;

/// A place of the training that a checkpoint names: how to read and how to write it.
struct Part {
  std::string name;
  std::function<Tensor()> read;  ///< undefined: nothing is there
  std::function<void(const Tensor&)> write;
};

Part tensor_part(std::string name, const Tensor& live) {
  return {std::move(name), [live] { return live.detach(); },
          [live](const Tensor& value) { live.detach().copy_(value); }};
}

Part generator_part(std::string name, at::Generator generator) {
  return {std::move(name), [generator] { return generator.get_state(); },
          [generator](const Tensor& value) mutable { generator.set_state(value); }};
}

/// Moments of one parameter; a parameter that has not moved yet has none.
void add_moments(std::vector<Part>& parts, const std::string& name,
                 torch::optim::Optimizer& optimizer, const Tensor& parameter) {
  auto* const key = parameter.unsafeGetTensorImpl();
  const auto found = [&optimizer, key]() -> State* {
    const auto state = optimizer.state().find(key);
    return state == optimizer.state().end() ? nullptr : static_cast<State*>(state->second.get());
  };
  const auto made = [&optimizer, key]() -> State& {
    auto& state = optimizer.state()[key];
    if (!state) state = std::make_unique<State>();
    return static_cast<State&>(*state);
  };
  const auto moment = [&](const char* which, auto get, auto set) {
    parts.push_back({name + which,
                     [found, get] {
                       State* const state = found();
                       return state == nullptr ? Tensor{} : get(*state);
                     },
                     [made, set](const Tensor& value) { set(made(), value); }});
  };
  moment(
      ".step", [](State& state) { return torch::tensor(state.step(), torch::kInt64); },
      [](State& state, const Tensor& value) { state.step(value.item<std::int64_t>()); });
  moment(
      ".first", [](State& state) { return state.exp_avg(); },
      [](State& state, const Tensor& value) { state.exp_avg(value.clone()); });
  moment(
      ".second", [](State& state) { return state.exp_avg_sq(); },
      [](State& state, const Tensor& value) { state.exp_avg_sq(value.clone()); });
  moment(
      ".largest", [](State& state) { return state.max_exp_avg_sq(); },
      [](State& state, const Tensor& value) { state.max_exp_avg_sq(value.clone()); });
}

void add_module(std::vector<Part>& parts, const std::string& name, const std::string& moments,
                torch::nn::Module& module, torch::optim::Optimizer& optimizer) {
  for (const auto& parameter : module.named_parameters()) {
    parts.push_back(tensor_part(name + parameter.key(), parameter.value()));
    add_moments(parts, moments + parameter.key(), optimizer, parameter.value());
  }
  for (const auto& buffer : module.named_buffers())
    parts.push_back(tensor_part(name + buffer.key(), buffer.value()));
}

/// Every part of the training as it stands.
std::vector<Part> parts_of(HostModel& host, torch::optim::Optimizer& optimizer, const SeedBed& bed,
                           const SessionData& data) {
  std::vector<Part> parts;
  add_module(parts, "host.", "host_optimizer.", host.module(), optimizer);
  for (const auto& live : bed.seeds()) {
    const std::string id = std::to_string(live->seed->id.value);
    parts.push_back(generator_part("generator.seed." + id, live->seed->generator));
    if (live->fossilised()) continue;
    for (std::size_t member = 0; member < live->seed->modules.size(); ++member) {
      const std::string place = id + "." + std::to_string(member) + ".";
      add_module(parts, "seed." + place, "seed_optimizer." + place, *live->seed->modules[member],
                 *live->optimizer);
    }
    const auto indexed = [&](const char* kind, const std::vector<Tensor>& tensors) {
      for (std::size_t i = 0; i < tensors.size(); ++i)
        parts.push_back(tensor_part(kind + id + "." + std::to_string(i), tensors[i]));
    };
    indexed("average.", live->average.tensors());
    if (live->lesson) indexed("lesson.", live->lesson->tensors());
  }
  parts.push_back(generator_part("generator.global", at::detail::getDefaultCPUGenerator()));
  for (std::size_t i = 0; i < data.generators.size(); ++i)
    parts.push_back(generator_part("generator.loop." + std::to_string(i), data.generators[i]));
  return parts;
}

SeedRecord record_of(const LiveSeed& live) {
  SeedRecord record;
  record.seed = live.seed->id;
  record.region = live.region;
  record.blueprint = live.seed->blueprint;
  record.slots = live.seed->slots;
  record.stage = live.stage;
  record.ramp = live.ramp;
  record.mitigations = live.mitigations;
  record.updates = live.updates;
  record.learning_rate = live.learning_rate;
  record.relative_norm = live.relative_norm;
  record.gradient_norm = live.gradient_norm;
  record.silenced = live.silenced;
  record.frozen = live.seed->modules.front()->frozen();
  record.averaged = live.average.tensors().size();
  if (live.lesson) {
    record.lesson = live.lesson->standing();
    record.lesson_tensors = live.lesson->tensors().size();
  }
  return record;
}

/// One sentence where the seeds that stand are not those of the checkpoint.
std::string other_seeds(const CheckpointManifest& manifest, const SeedBed& bed) {
  if (manifest.seeds.size() != bed.seeds().size())
    return "the checkpoint has " + std::to_string(manifest.seeds.size()) + " seeds, here stand " +
           std::to_string(bed.seeds().size());
  for (std::size_t i = 0; i < manifest.seeds.size(); ++i) {
    const auto& saved = manifest.seeds[i];
    const auto& live = *bed.seeds()[i];
    if (saved.seed != live.seed->id || saved.stage != live.stage ||
        saved.blueprint.name != live.seed->blueprint.name || saved.slots != live.seed->slots)
      return "seed " + std::to_string(saved.seed.value) + " of the checkpoint stands differently";
  }
  return {};
}

}  // namespace

CheckpointContent take_content(HostModel& host, torch::optim::Optimizer& optimizer,
                               const SeedBed& bed, const SessionData& data,
                               const SurvivingHistory& history, const CheckpointPlace& place) {
  const torch::NoGradGuard no_graph;
  CheckpointContent content;
  auto& manifest = content.manifest;
  manifest.torch_version = TORCH_VERSION;
  manifest.threads = static_cast<std::uint32_t>(at::get_num_threads());
  manifest.place = place;
  manifest.step = history.step;
  manifest.structure_version = history.structure;
  manifest.host = host.description();
  for (const auto& live : bed.seeds()) manifest.seeds.push_back(record_of(*live));
  if (data.position) manifest.position = data.position();
  manifest.loop_generators = data.generators.size();
  manifest.reflex = history.reflex.history();
  for (const Part& part : parts_of(host, optimizer, bed, data))
    if (const Tensor value = part.read(); value.defined())
      content.tensors.push_back({part.name, value.clone(at::MemoryFormat::Contiguous)});
  return content;
}

std::string put_back(const CheckpointContent& content, HostModel& host,
                     torch::optim::Optimizer& optimizer, SeedBed& bed, const SessionData& data,
                     SurvivingHistory& history) {
  if (auto other = other_seeds(content.manifest, bed); !other.empty()) return other;
  std::map<std::string, Tensor> saved;
  for (const auto& [name, tensor] : content.tensors) saved.emplace(name, tensor);
  const auto parts = parts_of(host, optimizer, bed, data);
  std::size_t matched = 0;
  for (const Part& part : parts) {
    const auto found = saved.find(part.name);
    const Tensor present = part.read();
    const bool moment =
        part.name.starts_with("host_optimizer.") || part.name.starts_with("seed_optimizer.");
    if (found == saved.end()) {
      if (present.defined() && !moment) return "the checkpoint has no " + part.name;
      continue;
    }
    ++matched;
    if (present.defined() && (present.sizes() != found->second.sizes() ||
                              present.scalar_type() != found->second.scalar_type()))
      return part.name + " has another shape in the checkpoint";
  }
  if (matched != saved.size())
    return std::to_string(saved.size() - matched) + " tensors of the checkpoint have no place here";
  if (!history.reflex.remember(content.manifest.reflex))
    return "the checkpoint's history of losses has another length";
  const torch::NoGradGuard no_graph;
  optimizer.state().clear();
  for (const auto& live : bed.seeds())
    if (live->optimizer) live->optimizer->state().clear();
  for (const Part& part : parts)
    if (const auto found = saved.find(part.name); found != saved.end()) part.write(found->second);
  for (std::size_t i = 0; i < content.manifest.seeds.size(); ++i) {
    const auto& record = content.manifest.seeds[i];
    LiveSeed& live = *bed.seeds()[i];
    live.ramp = record.ramp;
    live.set_alpha(record.ramp.alpha);
    live.mitigations = record.mitigations;
    live.updates = record.updates;
    live.learning_rate = record.learning_rate;
    live.relative_norm = record.relative_norm;
    live.gradient_norm = record.gradient_norm;
    live.silenced = record.silenced;
  }
  for (const auto& parameter : host.module().parameters()) parameter.mutable_grad().reset();
  if (data.set_position) data.set_position(content.manifest.position);
  history.step = content.manifest.step;
  history.structure = content.manifest.structure_version;
  return {};
}

}  // namespace esper
