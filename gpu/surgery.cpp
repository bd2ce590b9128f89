#include "gpu/surgery.hpp"

#include <algorithm>
#include <set>

#include "actors/decisions/host_surgery.hpp"
#include "gpu/seed_coupling.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

using torch::Tensor;

/// Tensors by name, parameters and buffers alike.
std::map<std::string, Tensor> tensors_by_name(const torch::nn::Module& module) {
  std::map<std::string, Tensor> all;
  for (const auto& parameter : module.named_parameters())
    all.emplace(parameter.key(), parameter.value());
  for (const auto& buffer : module.named_buffers()) all.emplace(buffer.key(), buffer.value());
  return all;
}

bool contains(const std::vector<SlotId>& slots, SlotId slot) {
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

const CoupledGroup* group_named(const HostDescription& host, const std::string& name) {
  const auto found = std::find_if(host.coupled_groups.begin(), host.coupled_groups.end(),
                                  [&](const CoupledGroup& group) { return group.name == name; });
  return found == host.coupled_groups.end() ? nullptr : &*found;
}

/// Refuses where an unfossilised seed stands in a region that the cut would change. `Part`: a group
/// or a layer.
template <typename Part>
CutAnswer seeds_in_the_way(const HostDescription& host, const SeedBed& bed, const Part& part) {
  const auto touched = regions_touched(host, part);
  for (const auto& live : bed.seeds())
    if (!live->fossilised() &&
        std::find(touched.begin(), touched.end(), live->region) != touched.end())
      return {SurgeryRefusal::region_has_seeds, "seed " + std::to_string(live->seed->id.value) +
                                                    " stands unfossilised in region " +
                                                    host.regions.at(live->region.value).name};
  return {};
}

/// Keeps `rows` of one dimension of a tensor, and of its moments.
void keep(torch::optim::Optimizer* optimizer, const Tensor& tensor, std::int64_t dimension,
          const Tensor& rows) {
  tensor.mutable_grad().reset();  // else a size mismatch in the next backward
  if (optimizer != nullptr) {
    const auto found = optimizer->state().find(tensor.unsafeGetTensorImpl());
    if (found != optimizer->state().end()) {
      auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
      state.exp_avg(state.exp_avg().index_select(dimension, rows));
      state.exp_avg_sq(state.exp_avg_sq().index_select(dimension, rows));
      if (state.max_exp_avg_sq().defined())
        state.max_exp_avg_sq(state.max_exp_avg_sq().index_select(dimension, rows));
    }
  }
  tensor.set_data(tensor.detach().index_select(dimension, rows));
}

/// Not one entry stays, and no moment.
void empty(torch::optim::Optimizer* optimizer, const Tensor& tensor) {
  tensor.mutable_grad().reset();
  if (optimizer != nullptr) optimizer->state().erase(tensor.unsafeGetTensorImpl());
  tensor.set_data(torch::empty(std::vector<std::int64_t>(static_cast<std::size_t>(tensor.dim()), 0),
                               tensor.options()));
}

/// The indices along a dimension that hold the kept channels.
Tensor rows_of(const std::vector<std::uint32_t>& kept, std::int64_t stride) {
  const std::vector<std::int64_t> channels(kept.begin(), kept.end());
  const Tensor first = torch::tensor(channels, torch::kInt64).unsqueeze(1) * stride;
  return (first + torch::arange(stride, torch::kInt64)).flatten();
}

struct Incision {
  Tensor tensor;
  std::int64_t dimension;
  Tensor rows;
};

struct Plan {
  HostDescription after;
  std::vector<Incision> incisions;
  std::vector<Tensor> emptied;
};

CutAnswer refused(std::string detail) { return {SurgeryRefusal::uncoupled, std::move(detail)}; }

/// The tensors of a layer, which the description has.
CutAnswer plan_removal(HostModel& host, const SeedBed& bed, const std::string& name, Plan& plan) {
  const HostDescription& description = host.description();
  const ResidualLayer& layer = *residual_layer(description, name);
  if (auto answer = seeds_in_the_way(description, bed, layer);
      answer.refusal != SurgeryRefusal::none)
    return answer;
  const auto tensors = tensors_by_name(host.module());
  for (const std::string& tensor : layer.tensors) {
    const auto found = tensors.find(tensor);
    if (found == tensors.end()) return refused("the host has no tensor " + tensor);
    plan.emptied.push_back(found->second);
  }
  return {};
}

CutAnswer plan_cut(HostModel& host, const SeedBed& bed, const std::vector<GroupCut>& cuts,
                   const std::vector<std::string>& layers, Plan& plan) {
  const HostDescription& description = host.description();
  const auto after = after_cuts(description, cuts, layers);
  if (!after) return {after.refusal(), "the host is not described so that it could be cut so"};
  plan.after = after.value();
  for (const std::string& layer : layers)
    if (auto answer = plan_removal(host, bed, layer, plan); answer.refusal != SurgeryRefusal::none)
      return answer;
  std::set<std::pair<const at::TensorImpl*, std::int64_t>> cut_before;
  for (const GroupCut& one : cuts) {
    const CoupledGroup& group = *group_named(description, one.group);
    if (auto answer = seeds_in_the_way(description, bed, group);
        answer.refusal != SurgeryRefusal::none)
      return answer;
    std::string problem;
    const auto dimensions = live_dimensions(host, bed, group, problem);
    if (!problem.empty()) return refused(problem);
    for (const LiveDimension& dimension : dimensions) {
      if (!cut_before.emplace(dimension.tensor.unsafeGetTensorImpl(), dimension.dimension).second)
        return refused(dimension.name + " would be cut twice in one dimension");
      plan.incisions.push_back(
          {dimension.tensor, dimension.dimension, rows_of(one.kept, dimension.stride)});
    }
  }
  return {};
}

CutAnswer cut_with(HostModel& host, SeedBed& bed, torch::optim::Optimizer* optimizer,
                   const std::vector<GroupCut>& cuts, const std::vector<std::string>& layers) {
  const torch::NoGradGuard no_graph;
  Plan plan;
  if (auto answer = plan_cut(host, bed, cuts, layers, plan); answer.refusal != SurgeryRefusal::none)
    return answer;
  for (const Incision& incision : plan.incisions)
    keep(optimizer, incision.tensor, incision.dimension, incision.rows);
  for (const Tensor& tensor : plan.emptied) empty(optimizer, tensor);
  host.describe(std::move(plan.after));
  fit_options(host.module());
  for (const auto& live : bed.seeds()) {
    if (!live->fossilised()) continue;
    live->operations = 0;
    for (std::size_t member = 0; member < live->seed->modules.size(); ++member)
      live->operations += seed_operations(live->seed->blueprint, *live->seed->modules[member],
                                          live->slots.at(member)->description());
  }
  return {};
}

}  // namespace

CutAnswer cut(HostModel& host, SeedBed& bed, torch::optim::Optimizer& optimizer,
              const std::vector<GroupCut>& cuts, const std::vector<std::string>& layers) {
  return cut_with(host, bed, &optimizer, cuts, layers);
}

CutAnswer cut(HostModel& host, SeedBed& bed, const std::vector<GroupCut>& cuts,
              const std::vector<std::string>& layers) {
  return cut_with(host, bed, nullptr, cuts, layers);
}

void narrow(Seed& seed, std::uint32_t channels) {
  const torch::NoGradGuard no_graph;
  const Tensor rows = torch::arange(static_cast<std::int64_t>(channels), torch::kInt64);
  for (const auto& module : seed.modules) {
    const auto coupling = seed_coupling(seed.blueprint, *module);
    if (!coupling || seed.born_channels < channels)
      throw InvariantViolation("a seed of " + seed.blueprint.name + " cannot be narrowed to " +
                               std::to_string(channels) + " channels");
    for (const SeedDimension& dimension : *coupling)
      keep(nullptr, dimension.tensor, dimension.dimension, rows);
    fit_options(*module);
  }
}

std::vector<LiveDimension> live_dimensions(HostModel& host, const SeedBed& bed,
                                           const CoupledGroup& group, std::string& problem) {
  auto& module = host.module();
  const auto tensors = tensors_by_name(module);
  std::vector<LiveDimension> all;
  const auto add = [&](LiveDimension dimension) {
    const std::int64_t length = group.channels * dimension.stride;
    if (dimension.dimension >= dimension.tensor.dim() ||
        dimension.tensor.size(dimension.dimension) != length)
      problem = "tensor " + dimension.name + " has not " + std::to_string(length) +
                " entries in dimension " + std::to_string(dimension.dimension);
    all.push_back(std::move(dimension));
  };
  for (const CoupledDimension& dimension : group.dimensions) {
    const auto tensor = tensors.find(dimension.tensor);
    if (tensor == tensors.end()) {
      problem = "the host has no tensor " + dimension.tensor;
      return {};
    }
    const auto parts = module.named_modules("", /*include_self=*/false);
    const auto* layer = parts.find(dimension.tensor.substr(0, dimension.tensor.rfind('.')));
    if (layer != nullptr && cannot_be_cut(**layer))
      problem = "tensor " + dimension.tensor + " is a grouped convolution's";
    add({dimension.tensor, tensor->second, dimension.dimension, dimension.stride});
  }
  for (const auto& live : bed.seeds()) {
    if (!live->fossilised()) continue;
    for (std::size_t member = 0; member < live->seed->slots.size(); ++member) {
      if (!contains(group.slots, live->seed->slots[member])) continue;
      const std::string name = "seed " + std::to_string(live->seed->id.value);
      const auto coupling = seed_coupling(live->seed->blueprint, *live->seed->modules[member]);
      if (!coupling) {
        problem = name + " is not built as its design " + live->seed->blueprint.name + " is";
        return {};
      }
      for (const SeedDimension& dimension : *coupling)
        add({name, dimension.tensor, dimension.dimension});
    }
  }
  if (!problem.empty()) all.clear();
  return all;
}

void mask_channel(HostModel& host, const SeedBed& bed, const CoupledGroup& group,
                  std::uint32_t channel) {
  std::string problem;
  const torch::NoGradGuard no_graph;
  for (const LiveDimension& dimension : live_dimensions(host, bed, group, problem))
    if (dimension.dimension == 0 && dimension.tensor.requires_grad())
      dimension.entries(channel).zero_();
  if (!problem.empty()) throw InvariantViolation(problem);
}

Structure::Structure(HostModel& host, const SeedBed& bed)
    : description_(host.description()), options_(host.module()) {
  for (const auto& live : bed.seeds()) operations_[live->seed->id] = live->operations;
}

void Structure::restore(HostModel& host, SeedBed& bed) const {
  host.describe(description_);
  options_.put(host.module());
  for (const auto& live : bed.seeds())
    if (const auto held = operations_.find(live->seed->id); held != operations_.end())
      live->operations = held->second;
}

}  // namespace esper
