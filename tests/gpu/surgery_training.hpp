#pragma once
// A host that can be cut, with the loop that trains it and seeds that stand in it.
#include <ATen/CPUGeneratorImpl.h>
#include <torch/utils.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "gpu/graft_checkpoint.hpp"
#include "gpu/isolation.hpp"
#include "gpu/surgery.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/surgery_host.hpp"
#include "tests/test_seed.hpp"

namespace esper {

struct SurgeryTraining {
  SurgeryTraining()
      : host((torch::manual_seed(test_seed()), std::make_unique<SurgeryHost>())),
        bed(*host),
        optimizer(host->module().parameters(),
                  torch::optim::AdamWOptions(3e-3).weight_decay(0.01).amsgrad(true)),
        data(own_generator(test_seed(), "data", 0)) {}

  /// Images whose class is their brightest quarter.
  [[nodiscard]] std::pair<torch::Tensor, torch::Tensor> draw(std::int64_t samples) {
    const auto images = torch::empty({samples, 1, 6, 6}).normal_(0, 1, data);
    const auto quarters = images.reshape({samples, 2, 3, 2, 3}).mean({2, 4}).flatten(1);
    return {images, quarters.argmax(1)};
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      const auto [images, labels] = draw(16);
      optimizer.zero_grad();
      at::cross_entropy_loss(host->forward(images), labels).backward();
      optimizer.step();
    }
  }
  [[nodiscard]] torch::Tensor outputs(const torch::Tensor& images) {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still({&host->module()});
    return host->forward(images);
  }

  LiveSeed& plant(const Blueprint& blueprint, std::uint32_t slot, Stage stage, double alpha = 1) {
    auto live = std::make_unique<LiveSeed>();
    live->seed = std::make_shared<Seed>(
        SeedId{slot + 1}, blueprint, std::vector<SlotId>{{slot}},
        std::vector<SlotDescription>{host->slot(slot).description()}, test_seed());
    live->seed->alpha = alpha;
    live->region = host->description().slots[slot].region;
    live->stage = stage;
    live->slots = {&host->slot(slot)};
    live->parameters = live->seed->parameters();
    const auto& place = host->slot(slot).description();
    live->operations = operations_of(blueprint, place.channels, place.height, place.width);
    host->slot(slot).plant(live->seed, 0);
    bed.set_stage(live->seed->slots, stage);
    if (stage == Stage::grafting) host->slot(slot).set_mode(SlotMode::blended);
    bed.seeds().push_back(std::move(live));
    if (stage == Stage::fossilised) fossilise(*bed.seeds().back());
    return *bed.seeds().back();
  }
  void fossilise(LiveSeed& live) {
    live.stage = Stage::fossilised;
    bed.set_stage(live.seed->slots, live.stage);
    live.slots.front()->set_mode(SlotMode::fossilised);
    host->adopt(*live.seed);
    optimizer.add_param_group(torch::optim::OptimizerParamGroup(live.parameters));
    optimizer.param_groups().back().set_options(optimizer.param_groups().front().options().clone());
    const torch::NoGradGuard no_graph;  // a zero birth would hide what it computes
    for (const auto& parameter : live.parameters) parameter.uniform_(0.1, 0.3, data);
  }

  /// First and second moments and the largest of the second, of one parameter.
  [[nodiscard]] std::vector<torch::Tensor> moments(const torch::Tensor& parameter) {
    const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
    if (found == optimizer.state().end()) return {};
    auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
    return {state.exp_avg(), state.exp_avg_sq(), state.max_exp_avg_sq(),
            torch::tensor(state.step())};
  }
  /// Weights, buffers, moments and random streams, copied.
  [[nodiscard]] std::vector<torch::Tensor> digest() {
    std::vector<torch::Tensor> all;
    for (const auto& tensor : tensors_of(host->module())) {
      all.push_back(tensor.detach().clone());
      for (const auto& moment : moments(tensor)) all.push_back(moment.clone());
    }
    all.push_back(at::detail::getDefaultCPUGenerator().get_state());
    all.push_back(data.get_state());
    return all;
  }

  std::unique_ptr<HostModel> host;
  SeedBed bed;
  torch::optim::AdamW optimizer;
  at::Generator data;
};

inline std::size_t differing_tensors(const std::vector<torch::Tensor>& a,
                                     const std::vector<torch::Tensor>& b) {
  if (a.size() != b.size()) return a.size() + b.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += bits_equal(a[i], b[i]) ? 0 : 1;
  return count;
}

/// Largest difference over the largest entry of `b`.
inline double relative_distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / b.abs().max().item<double>();
}

/// Every growth design of the library, and a plain convolution.
inline std::vector<Blueprint> designs_to_cut() {
  auto designs = built_in_blueprints();
  Blueprint plain = designs.front();
  plain.name = "plain";
  plain.kind = BlueprintKind::plain_convolution;
  plain.kernel = 3;
  plain.dropout = 0.1;
  designs.push_back(plain);
  return designs;
}

}  // namespace esper
