#pragma once
// A language model whose whole layers can leave, with the loop that trains it and seeds in its
// slots.
#include <map>

#include "actors/decisions/host_catalogue.hpp"
#include "gpu/make_host.hpp"
#include "gpu/surgery.hpp"
#include "gpu/task_loss.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/surgery_training.hpp"

namespace esper {

inline constexpr const char* language_model = "byte_transformer";

inline torch::Tensor random_bytes(std::int64_t sequences, std::int64_t positions) {
  static at::Generator stream = own_generator(test_seed(), "layer test bytes", 0);
  return torch::empty({sequences, positions}, torch::kInt64).random_(0, 256, stream);
}

/// A language model with a seed of another design in every second slot, trained for some steps.
struct LayerTraining {
  LayerTraining()
      : host((torch::manual_seed(test_seed()), make_host(language_model, "lm-64", {}, 0.1))),
        bed(*host),
        optimizer(host->module().parameters(),
                  torch::optim::AdamWOptions(3e-3).weight_decay(0.01).amsgrad(true)) {
    at::set_num_threads(1);
  }
  void plant_fossils() {
    std::uint32_t slot = 0;
    for (const Blueprint& design : built_in_blueprints()) {
      if (layout_of(design.kind) != Layout::sequence || slot >= host->slots().size()) continue;
      auto live = std::make_unique<LiveSeed>();
      live->seed = std::make_shared<Seed>(
          SeedId{slot + 1}, design, std::vector<SlotId>{{slot}},
          std::vector<SlotDescription>{host->slot(slot).description()}, test_seed());
      live->seed->alpha = 0.5;
      live->region = host->description().slots[slot].region;
      live->stage = Stage::fossilised;
      live->slots = {&host->slot(slot)};
      live->parameters = live->seed->parameters();
      host->slot(slot).plant(live->seed, 0);
      host->slot(slot).set_mode(SlotMode::fossilised);
      bed.set_stage(live->seed->slots, live->stage);
      host->adopt(*live->seed);
      optimizer.add_param_group(torch::optim::OptimizerParamGroup(live->parameters));
      optimizer.param_groups().back().set_options(
          optimizer.param_groups().front().options().clone());
      auto stream = own_generator(test_seed(), "planted", slot);
      const torch::NoGradGuard no_graph;
      for (const torch::Tensor& parameter : live->parameters) parameter.normal_(0, 0.2, stream);
      bed.seeds().push_back(std::move(live));
      slot += 2;
    }
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      const torch::Tensor read = random_bytes(2, 33);
      optimizer.zero_grad();
      cross_entropy(host->forward(read.narrow(1, 0, 32)), read.narrow(1, 1, 32)).backward();
      optimizer.step();
    }
  }
  [[nodiscard]] torch::Tensor outputs(const torch::Tensor& read) {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still({&host->module()});
    return host->forward(read);
  }
  [[nodiscard]] CutAnswer remove(const std::vector<std::string>& layers,
                                 const std::vector<GroupCut>& cuts = {}) {
    return cut(*host, bed, optimizer, cuts, layers);
  }
  [[nodiscard]] std::vector<torch::Tensor> moments(const torch::Tensor& parameter) {
    const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
    if (found == optimizer.state().end()) return {};
    auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
    return {state.exp_avg(), state.exp_avg_sq(), state.max_exp_avg_sq(),
            torch::tensor(state.step())};
  }
  /// By name: the weights and their moments, copied.
  [[nodiscard]] std::map<std::string, std::vector<torch::Tensor>> standing() {
    std::map<std::string, std::vector<torch::Tensor>> all;
    for (const auto& parameter : host->module().named_parameters()) {
      auto& held = all[parameter.key()];
      held.push_back(parameter.value().detach().clone());
      for (const torch::Tensor& moment : moments(parameter.value())) held.push_back(moment.clone());
    }
    for (const auto& buffer : host->module().named_buffers())
      all[buffer.key()] = {buffer.value().detach().clone()};
    return all;
  }

  std::unique_ptr<HostModel> host;
  SeedBed bed;
  torch::optim::AdamW optimizer;
};

inline std::size_t differing_standing(const std::map<std::string, std::vector<torch::Tensor>>& a,
                                      const std::map<std::string, std::vector<torch::Tensor>>& b) {
  if (a.size() != b.size()) return a.size() + b.size();
  std::size_t count = 0;
  for (const auto& [name, tensors] : a) {
    const auto& others = b.at(name);
    if (others.size() != tensors.size()) ++count;
    for (std::size_t i = 0; i < std::min(tensors.size(), others.size()); ++i)
      count += bits_equal(tensors[i], others[i]) ? 0 : 1;
  }
  return count;
}

/// The weights and biases that write what the layer adds to the stream.
inline std::vector<torch::Tensor> writers(HostModel& host, const std::string& layer) {
  const auto parameters = host.module().named_parameters();
  if (layer.ends_with("attention")) return {parameters[layer + ".out.weight"].detach()};
  return {parameters[layer + ".down.weight"].detach(), parameters[layer + ".down.bias"].detach()};
}

inline const std::vector<std::string>& layer_names() {
  static const std::vector<std::string> names{"block0.attention", "block0.feed_forward",
                                              "block1.attention", "block1.feed_forward",
                                              "block2.attention", "block2.feed_forward"};
  return names;
}

}  // namespace esper
