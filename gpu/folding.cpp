#include "gpu/folding.hpp"

#include <algorithm>

#include "actors/decisions/number.hpp"
#include "gpu/isolation.hpp"
#include "gpu/seed_training.hpp"

namespace esper {

namespace {

/// One slot's share of the work.
struct Place {
  PositionwiseMap map;
  torch::Tensor weight;        ///< [channels, channels, height, width], the host's
  torch::Tensor bias;          ///< [channels]; undefined: none
  torch::Tensor running_mean;  ///< of the batch norm behind it; undefined: none, or not needed
};

torch::Tensor named(const torch::OrderedDict<std::string, torch::Tensor>& tensors,
                    const std::string& name) {
  const auto* found = tensors.find(name);
  return found == nullptr ? torch::Tensor{} : *found;
}

/// Of the batch norm whose weight comes right after the convolution's, in the order of the flow.
torch::Tensor norm_behind(HostModel& host, const std::string& layer) {
  const auto& flow = host.description().tensors;
  auto next = std::find_if(flow.begin(), flow.end(),
                           [&](const auto& tensor) { return tensor.name == layer + ".weight"; });
  if (next == flow.end() || ++next == flow.end()) return {};
  const std::string name = next->name.substr(0, next->name.rfind('.'));
  return named(host.module().named_buffers(), name + ".running_mean");
}

/// Empty detail: `place` is filled.
std::string find_place(HostModel& host, const SlotDescription& slot, const SeedModule& module,
                       Place& place) {
  if (slot.kind != SlotKind::branch) return slot.name + " stands beside no layer";
  const auto map = module.positionwise();
  if (!map) return "its function is not affine in the channels of one position";
  const auto parameters = host.module().named_parameters();
  place.map = *map;
  place.weight = named(parameters, slot.layer + ".weight");
  const auto channels = static_cast<std::int64_t>(slot.channels);
  const bool fits = place.weight.defined() && place.weight.dim() == 4 &&
                    place.weight.size(0) == channels && place.weight.size(1) == channels &&
                    place.weight.size(2) % 2 == 1 && place.weight.size(3) % 2 == 1;
  if (!fits) return "\"" + slot.layer + "\" is no convolution of equal width with an odd kernel";
  place.bias = named(parameters, slot.layer + ".bias");
  if (place.bias.defined() || !map->shift.defined()) return {};
  place.running_mean = norm_behind(host, slot.layer);
  if (!place.running_mean.defined() || place.running_mean.size(0) != channels)
    return "\"" + slot.layer + "\" has no bias, and no batch norm behind it is known";
  return {};
}

void absorb(const Place& place, double alpha) {
  const auto& weight = place.weight;
  const auto add = [](const torch::Tensor& into, const torch::Tensor& wide) {
    into.copy_((into.to(torch::kFloat64) + wide).to(into.scalar_type()));
  };
  add(weight.detach().select(3, weight.size(3) / 2).select(2, weight.size(2) / 2),
      place.map.weight * alpha);
  if (!place.map.shift.defined()) return;
  if (place.bias.defined())
    add(place.bias.detach(), place.map.shift * alpha);
  else
    add(place.running_mean, place.map.shift * -alpha);
}

/// Logits of `batch`, in batches of the training's size.
torch::Tensor logits_of(HostModel& host, const SessionData& data, const Batch& batch) {
  const std::int64_t count = batch.inputs.size(0);
  const std::int64_t at_once = data.batch_samples > 0 ? data.batch_samples : count;
  std::vector<torch::Tensor> parts;
  for (std::int64_t begin = 0; begin < count; begin += at_once)
    parts.push_back(host.forward(batch.inputs.slice(0, begin, std::min(begin + at_once, count))));
  for (Slot& slot : host.slots()) slot.forget();
  return torch::cat(parts).to(torch::kFloat64);
}

double relative_change(const torch::Tensor& before, const torch::Tensor& after) {
  const double difference = (after - before).norm().item<double>();
  const double whole = before.norm().item<double>();
  return whole > 0 ? difference / whole : difference;
}

}  // namespace

Folding fold_into_host(HostModel& host, SeedBed& bed, LiveSeed& live, const SessionData& data,
                       std::uint32_t samples, double change_max) {
  std::vector<Place> places(live.slots.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto problem =
        find_place(host, live.slots[i]->description(), *live.seed->modules[i], places[i]);
    if (!problem.empty()) return {CommandRefusal::not_foldable, problem};
  }
  const torch::NoGradGuard no_graph;
  const EvaluationScope still(all_modules(host, bed));
  const Batch batch = data.gate_batch(samples);
  const auto before = logits_of(host, data, batch);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> kept;
  for (const Place& place : places)
    for (const auto& tensor : {place.weight, place.bias, place.running_mean})
      if (tensor.defined()) kept.emplace_back(tensor.detach(), tensor.detach().clone());
  const double alpha = live.seed->alpha;
  for (const Place& place : places) absorb(place, alpha);
  live.set_alpha(0);
  Folding done;
  done.output_change = relative_change(before, logits_of(host, data, batch));
  std::uint64_t once = host.description().operations + bed.fossilised_operations();
  for (const auto& other : bed.seeds())
    if (other->touches_host()) once += other->operations;
  done.operations = static_cast<std::uint64_t>(batch.inputs.size(0)) * (2 * once + live.operations);
  // The comparison fails for NaN, too.
  if (finite(done.output_change) && done.output_change <= change_max) return done;
  for (const auto& [tensor, value] : kept) tensor.copy_(value);
  live.set_alpha(alpha);
  done.refusal = CommandRefusal::output_changed;
  done.detail = "the output would change by " + std::to_string(done.output_change) + ", at most " +
                std::to_string(change_max) + " is allowed";
  return done;
}

}  // namespace esper
