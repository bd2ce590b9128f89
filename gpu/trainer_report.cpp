// What is told of a model that was trained.
#include <ATen/Parallel.h>

#include "gpu/isolation.hpp"
#include "gpu/safetensors_file.hpp"
#include "gpu/seed_coupling.hpp"
#include "gpu/task_loss.hpp"
#include "gpu/trainer.hpp"
#include "gpu/weights_hash.hpp"

namespace esper {

std::vector<torch::nn::Module*> Trainer::modules() const {
  std::vector<torch::nn::Module*> all{&host_->module()};
  if (session_)
    for (const auto& live : session_->bed().seeds())
      if (!live->fossilised())
        for (auto* module : live->seed->module_pointers()) all.push_back(module);
  return all;
}

std::pair<double, double> Trainer::evaluate(const Batch& samples) {
  const std::int64_t at_once = data_->evaluated_at_once();
  const EvaluationScope still(modules());
  const torch::NoGradGuard no_graph;
  const std::int64_t count = samples.targets.size(0);
  double right = 0, loss = 0;
  for (std::int64_t begin = 0; begin < count; begin += at_once) {
    const auto end = std::min(begin + at_once, count);
    const auto labels = samples.targets.slice(0, begin, end);
    const auto logits = host_->forward(samples.inputs.slice(0, begin, end));
    right += correct(logits, labels).sum().item<double>();
    loss += cross_entropy(logits, labels).item<double>() * static_cast<double>(end - begin);
  }
  if (count == 0) return {0, 0};
  return {right / static_cast<double>(samples.targets.numel()), loss / static_cast<double>(count)};
}

TrainedModel Trainer::report_model() {
  TrainedModel model;
  model.arm = arm_;
  const auto& description = host_->description();
  model.parameters = description.parameters;
  model.operations = description.operations;
  for (const auto& seed : planted_) {
    model.parameters += seed->parameter_count();
    for (std::size_t member = 0; member < seed->slots.size(); ++member)
      model.operations += seed_operations(seed->blueprint, *seed->modules[member],
                                          description.slots.at(seed->slots[member].value));
  }
  std::vector<torch::nn::Module*> in_path;
  // A seed that the run's end found on its ramp is part of the model that is measured.
  if (const SeedBed* standing = bed())
    for (const auto& live : standing->seeds()) {
      if (!live->fossilised() && !live->touches_host()) continue;
      model.parameters += live->seed->parameter_count();
      model.operations += live->operations;
      if (!live->fossilised())
        for (auto* module : live->seed->module_pointers()) in_path.push_back(module);
    }
  if (session_) {
    model.training_operations = session_->operations();
  } else {
    const std::uint64_t before = cut_ ? cut_->manifest.place.step.value : 0;
    model.training_operations = operations_before_;
    model.training_operations.training +=
        3 * (own_steps_ - before) * config_.training.batch * model.operations;
  }
  model.steps = step();
  model.weights_hash = weights_hash(host_->module(), in_path);
  model.gate_loss = evaluate(data_->gate(data_->gate_size())).second;
  std::tie(model.test_accuracy, model.test_loss) = evaluate(data_->read_test_split());
  if (config_.model.host == "byte_transformer")
    model.test_bits_per_byte = model.test_loss / std::log(2.0);
  for (Slot& slot : host_->slots()) slot.forget();
  return model;
}

std::string Trainer::write_model(const std::string& file, const std::string& structure) {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const auto& named) {
    for (const auto& one : named)
      if (one.value().numel() > 0)  // of a layer that has left nothing is to be loaded
        tensors.push_back({one.key(), one.value().detach().to(at::kCPU).contiguous()});
  };
  add(host_->module().named_parameters());
  add(host_->module().named_buffers());
  // "pt" is what readers of PyTorch's states look for.
  return put_file(file, lay_out({{"format", "pt"}, {"structure", structure}}, tensors));
}

double Trainer::time_forward(std::size_t samples) {
  at::set_num_threads(static_cast<int>(config_.training.threads));
  const auto inputs = data_->gate(std::min(samples, data_->gate_size())).inputs;
  const EvaluationScope still(modules());
  const torch::NoGradGuard no_graph;
  const auto began = std::chrono::steady_clock::now();
  const auto logits = host_->forward(inputs);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  for (Slot& slot : host_->slots()) slot.forget();
  return taken.count();
}

}  // namespace esper
