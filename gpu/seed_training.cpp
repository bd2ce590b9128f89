#include "gpu/seed_training.hpp"

#include <algorithm>
#include <cmath>

#include <torch/nn/functional/loss.h>

#include "actors/decisions/number.hpp"
#include "gpu/gate_score.hpp"
#include "gpu/isolation.hpp"
#include "gpu/vital_signs.hpp"

namespace esper {

namespace {

/// Scales the gradients so that their norm is at most `limit`; 0: no limit.
void clip(const std::vector<torch::Tensor>& parameters, double norm, double limit) {
  if (limit <= 0 || norm <= limit) return;
  const torch::NoGradGuard no_graph;
  for (const auto& parameter : parameters)
    if (parameter.grad().defined()) parameter.grad().mul_(limit / (norm + 1e-6));
}

void clear_gradients(const std::vector<torch::Tensor>& parameters) {
  for (const auto& parameter : parameters) parameter.mutable_grad().reset();
}

/// Steps where there is a finite gradient that is not zero: momentum and decay would move weights
/// even without one.
void update(LiveSeed& live, double learning_rate_ratio) {
  live.gradient_norm = gradient_norm(live.parameters);
  if (!finite(live.gradient_norm)) {
    ++live.non_finite;
  } else if (live.gradient_norm > 0) {
    clip(live.parameters, live.gradient_norm, live.mitigations.clip_norm);
    for (auto& group : live.optimizer->param_groups())
      group.options().set_lr(live.learning_rate * learning_rate_ratio);
    live.optimizer->step();
    ++live.updates;
  }
  clear_gradients(live.parameters);
}

/// From the seed's first slot to the loss, per sample; slots stand in the order of the flow.
std::uint64_t operations_downstream(const HostModel& host, const SeedBed& bed,
                                    const LiveSeed& live) {
  std::uint64_t sum = host.description().slots[live.slot().value].operations_downstream;
  for (const auto& other : bed.seeds())
    if (other->fossilised() && other->slot().value > live.slot().value) sum += other->operations;
  return sum;
}

/// A scaffold is measured in every window of its life on the graph and, for parity, in its sunset.
bool measured_on_graph(const LiveSeed& live) {
  return live.touches_host() ||
         (live.scaffold() && (live.on_graph() || live.stage == Stage::sunset));
}

}  // namespace

std::vector<torch::nn::Module*> all_modules(HostModel& host, const SeedBed& bed,
                                            const LiveSeed* learning) {
  std::vector<torch::nn::Module*> modules{&host.module()};
  for (const auto& live : bed.seeds())
    if (!live->fossilised() && live.get() != learning)
      for (auto* module : live->seed->module_pointers()) modules.push_back(module);
  return modules;
}

torch::Tensor distillation(const torch::Tensor& logits, const torch::Tensor& teacher) {
  return torch::nn::functional::kl_div(
      logits.flatten(0, -2).log_softmax(-1), teacher.flatten(0, -2).softmax(-1),
      torch::nn::functional::KLDivFuncOptions().reduction(torch::kBatchMean));
}

std::unique_ptr<torch::optim::AdamW> seed_optimizer(const std::vector<torch::Tensor>& parameters,
                                                    const SeedConfig& config, double learning_rate,
                                                    double ratio) {
  return std::make_unique<torch::optim::AdamW>(
      parameters,
      torch::optim::AdamWOptions(learning_rate * ratio).weight_decay(config.weight_decay));
}

void measure_norms(LiveSeed& live) {
  double seed = 0, host = 0;
  for (const Slot* slot : live.slots) {
    if (!slot->seed_output().defined()) continue;
    seed += sum_of_squares(slot->seed_output().detach());
    host += sum_of_squares(slot->host_output().detach());
  }
  // A seed that gives NaN must be told as such, not skipped.
  if (host > 0) live.relative_norm = std::sqrt(seed / host);
}

ShadowGradients shadow_gradients(HostModel& host, SeedBed& bed, LiveSeed& live, const Batch& batch,
                                 const LossFunction& loss) {
  const auto samples = static_cast<std::uint64_t>(batch.inputs.size(0));
  const std::uint64_t own = host.description().operations + bed.fossilised_operations();
  // Forward once, back through the tail for inputs alone; the seed as in training.
  std::uint64_t cost =
      samples * (own + operations_downstream(host, bed, live) + 3 * live.operations);
  const EvaluationScope still(all_modules(host, bed, &live));
  const torch::NoGradGuard no_graph;  // the seed's slot switches gradients on
  torch::Tensor teacher;
  if (live.mitigations.knowledge_distillation_weight > 0) {
    teacher = host.forward(batch.inputs);
    cost += samples * own;
  }
  const TrialScope trial(live.slots, {.alpha = live.target_alpha(), .differentiated = true});
  const auto logits = host.forward(batch.inputs);
  const torch::AutoGradMode graph(true);
  auto shadow = loss(logits, batch.targets);
  measure_norms(live);
  for (Slot& passed : host.slots()) passed.forget();
  if (!finite(shadow.item<double>())) return {cost, false};
  if (teacher.defined())
    shadow =
        shadow + live.mitigations.knowledge_distillation_weight * distillation(logits, teacher);
  gradients_into(shadow, live.parameters);
  return {cost, true};
}

void learn_isolated(LiveSeed& live, double learning_rate_ratio) {
  update(live, learning_rate_ratio);
  if (live.updates > 0) live.average.take(live.parameters, live.updates);
}

std::uint64_t shadow_pass(HostModel& host, torch::optim::Optimizer& host_optimizer, SeedBed& bed,
                          LiveSeed& live, const Batch& batch, const LossFunction& loss,
                          double learning_rate_ratio) {
  const auto [cost, finite] = shadow_gradients(host, bed, live, batch, loss);
  if (!finite) {
    ++live.non_finite;
    return cost;
  }
  learn_isolated(live, learning_rate_ratio);
  if (isolation_switches().step_on_zero_gradients) {
    for (auto& group : host_optimizer.param_groups())
      for (const auto& parameter : group.params())
        parameter.mutable_grad() = torch::zeros_like(parameter);
    host_optimizer.step();
  }
  return cost;
}

bool gradients_finite(const LiveSeed& live) { return finite(gradient_norm(live.parameters)); }

void task_step(LiveSeed& live, double learning_rate_ratio) {
  measure_norms(live);
  update(live, learning_rate_ratio);
}

void learn_on_graph(LiveSeed& live, double learning_rate_ratio) {
  update(live, learning_rate_ratio);
}

std::uint64_t gate_passes(HostModel& host, SeedBed& bed, const SessionData& data,
                          const TimeConfig& time, const GateConfig& gates, bool paused) {
  std::vector<LiveSeed*> isolated, on_graph;
  for (const auto& live : bed.seeds()) {
    live->gate = {};
    if (live->stage == Stage::train_isolated && !paused && live->updates >= gates.updates_min)
      isolated.push_back(live.get());
    if (measured_on_graph(*live)) on_graph.push_back(live.get());
  }
  if (isolated.empty() && on_graph.empty()) return 0;
  const bool verdict = std::any_of(on_graph.begin(), on_graph.end(), [](const LiveSeed* live) {
    return live->scaffold() || live->stage == Stage::stabilising;
  });
  const std::uint32_t samples = verdict ? time.verdict_samples : time.gate_samples;
  const Batch batch = data.gate_batch(samples);
  const EvaluationScope still(all_modules(host, bed));
  const torch::NoGradGuard no_graph;
  const auto used = static_cast<std::uint64_t>(batch.inputs.size(0));
  const std::uint64_t once = host.description().operations + bed.fossilised_operations();
  std::uint64_t cost = used * once;
  const double present = gate_score(host, data, batch).loss;
  const auto fill = [&](LiveSeed& live, double without, double with, bool again = true) {
    live.gate = {.measured = true,
                 .loss_without = without,
                 .loss_with = with,
                 .loss_joint = with,
                 .finite = finite(with) && finite(without) && live.non_finite == 0 &&
                           finite(live.gradient_norm),
                 .samples = static_cast<std::uint32_t>(used)};
    if (again) cost += used * (once + live.operations);
  };
  const AverageScope averaged(isolated);
  for (LiveSeed* live : isolated) {
    const TrialScope trial(live->slots, {.alpha = live->target_alpha()});
    fill(*live, present, gate_score(host, data, batch).loss);
  }
  for (LiveSeed* live : on_graph) {
    if (live->seed->alpha == 0) {  // without it is as with it
      fill(*live, present, present, /*again=*/false);
      continue;
    }
    const TrialScope trial(live->slots, {.alpha = 0});
    fill(*live, gate_score(host, data, batch).loss, present);
  }
  // Only those that help alone may come to stand beside each other.
  std::erase_if(isolated, [](const LiveSeed* live) {
    return !(live->gate.loss_with < live->gate.loss_without);
  });
  if (isolated.size() > 1) {
    std::vector<std::unique_ptr<TrialScope>> trials;
    for (LiveSeed* live : isolated)
      trials.push_back(
          std::make_unique<TrialScope>(live->slots, Trial{.alpha = live->target_alpha()}));
    const double joint = gate_score(host, data, batch).loss;
    cost += used * once;
    for (LiveSeed* live : isolated) {
      live->gate.loss_joint = joint;
      cost += used * live->operations;
    }
  }
  return cost;
}

}  // namespace esper
