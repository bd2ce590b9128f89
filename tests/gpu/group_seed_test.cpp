// A seed in a group of branch slots, through a whole session on `melt`: twelve modules, one alpha.
#include "actors/decisions/blueprint_catalogue.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/test_loop.hpp"

using namespace esper;

namespace {

constexpr std::size_t members = 12;
HostUnderTest melt() { return fashion_cnn("melt", {6}); }

class MeltLoop : public TestLoop {
 public:
  MeltLoop() : TestLoop(undisturbed(), melt()) {
    const auto& slots = host->description().slots;
    while (slots[first].group.empty()) ++first;
    region = slots[first].region.value;
  }
  AdaptationCommand on_group(CommandKind kind, std::uint64_t seed = 1) {
    return command(kind, region, first, seed, "plain");
  }
  void obeyed(CommandKind kind, std::uint64_t seed = 1) {
    const auto outcome = carry_out(on_group(kind, seed));
    INFO(outcome.detail);
    REQUIRE(outcome.refusal == CommandRefusal::none);
  }
  /// Every slot of the group is in this stage.
  [[nodiscard]] bool all_in(Stage stage) const {
    for (std::uint32_t i = 0; i < members; ++i)
      if (session->bed().stage_of({first + i}) != stage) return false;
    return true;
  }
  /// How many slots of the group give, in a pass of their own, the host's own tensor.
  [[nodiscard]] std::size_t untouched() {
    observe_pass();
    std::size_t count = 0;
    for (Slot* slot : live().slots)
      count += slot->output().is_same(slot->host_output()) && !slot->seed_output().defined();
    forget();
    return count;
  }
  /// How many give h + alpha f.
  [[nodiscard]] std::size_t blended(float alpha) {
    observe_pass();
    std::size_t count = 0;
    for (Slot* slot : live().slots)
      if (slot->seed_output().defined())
        count += same_bits(slot->output(), slot->host_output() + slot->seed_output() * alpha);
    forget();
    return count;
  }

  std::uint32_t first = 0, region = 0;

 private:
  /// Twelve convolutions without norms may make the loss jump; here no reflex is to answer.
  static SessionSettings undisturbed() {
    auto settings = test_settings();
    settings.reflex.sigmas = 1e9;
    return settings;
  }
  void observe_pass() {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still({&host->module()});
    (void)host->forward(batch.inputs);
  }
  void forget() {
    for (Slot& slot : host->slots()) slot.forget();
  }
};

}  // namespace

SCENARIO("twelve branch slots take one seed, which grows into the host as one",
         "[session][group][IDENT-1][ISO-1]") {
  at::set_num_threads(1);
  MeltLoop loop;
  loop.close_window();
  loop.obeyed(CommandKind::germinate);
  REQUIRE(loop.session->bed().seeds().size() == 1);
  CHECK(loop.live().slots.size() == members);
  CHECK(loop.all_in(Stage::train_isolated));
  const auto channels = loop.live().slots.front()->description().channels;
  const auto added = members * parameters_of(plain_design("plain"), channels);
  CHECK(loop.live().seed->parameter_count() == added);
  auto elsewhere = loop.on_group(CommandKind::germinate, 2);
  elsewhere.slot.value += 5;
  CHECK(loop.carry_out(elsewhere).refusal == CommandRefusal::illegal_stage);

  while (!loop.live().gate.measured) loop.close_window();
  CHECK(loop.untouched() == members);

  loop.obeyed(CommandKind::graft);
  loop.close_window();
  CHECK(loop.live().seed->alpha == 0.5);
  CHECK(loop.blended(0.5F) == members);
  loop.obeyed(CommandKind::advance);
  loop.close_window();
  CHECK(loop.live().seed->alpha == 1);
  CHECK(loop.blended(1) == members);
  CHECK(loop.reflexes().empty());
  WHEN("it fossilises") {
    const auto before = loop.host->module().parameters().size();
    loop.obeyed(CommandKind::stabilise);
    loop.obeyed(CommandKind::fossilise);
    CHECK(loop.all_in(Stage::fossilised));
    CHECK(loop.host->module().parameters().size() == before + loop.live().parameters.size());
    REQUIRE(loop.optimizer->param_groups().size() == 2);
    CHECK(loop.optimizer->param_groups()[1].params().size() == loop.live().parameters.size());
    std::vector<torch::Tensor> weights;
    for (const auto& weight : loop.live().parameters) weights.push_back(weight.detach().clone());
    (void)loop.tick();
    for (std::size_t i = 0; i < weights.size(); ++i)
      CHECK_FALSE(same_bits(weights[i], loop.live().parameters[i].detach()));
    CHECK(loop.blended(1) == members);
  }
  WHEN("it escapes, its weights not even numbers, and is culled") {
    {
      const torch::NoGradGuard no_graph;
      for (const auto& weight : loop.live().parameters)
        weight.fill_(std::numeric_limits<float>::quiet_NaN());
    }
    CHECK(loop.untouched() == 0);
    loop.live().escape_to_zero();
    CHECK(loop.untouched() == members);
    CHECK(loop.tick().proceed());
    loop.close_window();
    loop.obeyed(CommandKind::cull);
    CHECK(loop.all_in(Stage::embargoed));
    for (Slot& slot : loop.host->slots()) CHECK(slot.seed() == nullptr);
    loop.obeyed(CommandKind::lift_embargo);
    CHECK(loop.all_in(Stage::dormant));
    loop.obeyed(CommandKind::germinate, 3);
    CHECK(loop.live(3).slots.size() == members);
  }
  WHEN("its graft is rolled back") {
    loop.obeyed(CommandKind::roll_back);
    CHECK(loop.all_in(Stage::embargoed));
    loop.run(5);
    TestLoop never(test_settings(Mode::off), melt());
    never.run(loop.session->step().value);
    CHECK(differing(never.digest(), loop.digest()) == 0);
  }
}
