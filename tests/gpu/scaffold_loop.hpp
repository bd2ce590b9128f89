#pragma once
// A loop on `melt` whose designs are scaffolds, and one growth design beside them.
#include "tests/gpu/test_loop.hpp"

namespace esper {

inline Blueprint scaffold_design(const char* name, BlueprintKind kind, double dropout = 0) {
  return {.name = name,
          .kind = kind,
          .blueprint_class = BlueprintClass::scaffold,
          .kernel = 0,
          .reduction = 2,
          .dropout = dropout,
          .learning_rate_scale = 1,
          .birth = Birth::random,
          .sunset_exit = SunsetExit::either,
          .sunset_windows = 10};
}

inline SessionSettings scaffold_settings() {
  auto settings = test_settings();
  settings.reflex.sigmas = 1e9;  // twelve convolutions without norms may make the loss jump
  settings.blueprints = {scaffold_design("norm", BlueprintKind::normalisation),
                         scaffold_design("rank", BlueprintKind::low_rank),
                         scaffold_design("squeeze", BlueprintKind::squeeze_excitation),
                         scaffold_design("dropping", BlueprintKind::normalisation, 0.3)};
  auto growth = settings.blueprints.front();
  growth.name = "growth";
  growth.blueprint_class = BlueprintClass::growth;
  settings.blueprints.push_back(growth);
  settings.builder = build;
  return settings;
}

/// At the loop's own rate twelve convolutions without norms may die: then nothing is to be seen.
inline void learn_gently(TestLoop& loop) {
  for (auto& group : loop.optimizer->param_groups()) group.options().set_lr(2e-3);
}

class ScaffoldLoop : public TestLoop {
 public:
  explicit ScaffoldLoop(SessionSettings settings = scaffold_settings())
      : TestLoop(std::move(settings), fashion_cnn("melt", {6})) {
    at::set_num_threads(1);
    learn_gently(*this);
    const auto& slots = host->description().slots;
    while (slots[first].group.empty()) ++first;
    region = slots[first].region.value;
    close_window();
  }
  AdaptationCommand on_group(CommandKind kind, std::uint64_t seed = 1, const char* design = "") {
    return command(kind, region, first, seed, design);
  }
  Outcome ordered(CommandKind kind, std::uint64_t seed = 1) {
    return carry_out(on_group(kind, seed));
  }
  void obeyed(CommandKind kind, std::uint64_t seed = 1) {
    const auto outcome = ordered(kind, seed);
    if (outcome.refusal != CommandRefusal::none) throw std::runtime_error(outcome.detail);
  }
  /// Seed 1 as `design` in the group, on the graph at alpha 1.
  void stand(const char* design, double kd_weight = 0, double anchor_weight = 0) {
    auto germinate = on_group(CommandKind::germinate, 1, design);
    if (carry_out(germinate).refusal != CommandRefusal::none)
      throw std::runtime_error("the seed does not germinate");
    close_window();
    auto graft = on_group(CommandKind::graft);
    graft.mitigations.knowledge_distillation_weight = kd_weight;
    graft.mitigations.anchor_weight = anchor_weight;
    (void)carry_out(graft);
    close_window();
    obeyed(CommandKind::advance);
    close_window();
  }
  void stabilised(const char* design, double kd_weight = 0, double anchor_weight = 0) {
    stand(design, kd_weight, anchor_weight);
    obeyed(CommandKind::stabilise);
  }
  /// A forward pass in evaluation mode whose activations the slots keep. `train`: in training mode.
  torch::Tensor observed(bool graph = false) {
    const torch::AutoGradMode mode(graph);
    const EvaluationScope still({&host->module()});
    return host->forward(batch.inputs);
  }
  void forget() {
    for (Slot& slot : host->slots()) slot.forget();
  }
  /// How many slots of the seed give, in a pass of their own, the host's own tensor.
  std::size_t untouched(std::uint64_t seed = 1) {
    (void)observed();
    std::size_t count = 0;
    for (Slot* slot : live(seed).slots)
      count += slot->output().is_same(slot->host_output()) && !slot->seed_output().defined();
    forget();
    return count;
  }
  [[nodiscard]] bool all_in(Stage stage) const {
    for (std::uint32_t i = 0; i < members; ++i)
      if (session->bed().stage_of({first + i}) != stage) return false;
    return true;
  }
  /// Steps change nothing any more: what differs afterwards was changed by a command.
  void stand_still() {
    for (auto& group : optimizer->param_groups()) {
      auto& options = static_cast<torch::optim::AdamWOptions&>(group.options());
      options.lr(0).weight_decay(0);
    }
  }

  static constexpr std::size_t members = 12;
  std::uint32_t first = 0, region = 0;
};

}  // namespace esper
