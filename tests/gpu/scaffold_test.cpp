// A scaffold's whole life in a session on `melt`: it teaches the host through its function, and
// leaves by folding or by weaning.
#include "gpu/weaning.hpp"

#include <torch/csrc/autograd/autograd.h>

#include "gpu/seed_training.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/scaffold_loop.hpp"

using namespace esper;
using torch::Tensor;

namespace {

std::vector<Tensor> clones(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> copies;
  for (const auto& tensor : tensors) copies.push_back(tensor.detach().clone());
  return copies;
}

}  // namespace

SCENARIO("gradient reaches the host through a scaffold, never through a growth seed",
         "[session][scaffold]") {
  const std::string design = GENERATE("norm", "growth");
  ScaffoldLoop loop;
  loop.stand(design.c_str());
  REQUIRE(loop.live().seed->alpha == 1);
  CHECK(loop.live().slots.front()->mode() ==
        (design == "norm" ? SlotMode::attached : SlotMode::blended));
  (void)loop.observed(/*graph=*/true);
  std::size_t reached = 0;
  for (Slot* slot : loop.live().slots) {
    REQUIRE(slot->seed_input().requires_grad());
    const auto gradient =
        torch::autograd::grad({slot->seed_output().square().sum()}, {slot->seed_input()}, {},
                              /*retain_graph=*/true, /*create_graph=*/false,
                              /*allow_unused=*/true)[0];
    reached += gradient.defined() && gradient.abs().sum().item<float>() > 0 ? 1 : 0;
  }
  loop.forget();
  CHECK(reached == (design == "norm" ? ScaffoldLoop::members : 0));
  THEN("its own parameters learn in its own optimizer, and are none of the host's") {
    const auto before = clones(loop.live().parameters);
    (void)loop.tick();
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK_FALSE(same_bits(before[i], loop.live().parameters[i].detach()));
    for (const auto& group : loop.optimizer->param_groups())
      for (const auto& parameter : group.params())
        for (const auto& own : loop.live().parameters) CHECK_FALSE(parameter.is_same(own));
  }
}

SCENARIO("a scaffold lives, is frozen, folds and retires", "[session][scaffold][IDENT-1]") {
  const char* design = GENERATE("norm", "rank");
  INFO(design);
  ScaffoldLoop loop;
  const auto parameters = loop.host->module().parameters().size();
  loop.stabilised(design);
  CHECK(loop.ordered(CommandKind::fold).refusal ==
        CommandRefusal::illegal_stage);  // not frozen yet
  loop.obeyed(CommandKind::freeze);
  const auto statistics = clones(loop.live().seed->buffers());
  for (auto* module : loop.live().seed->module_pointers()) module->train();  // as a loop may do
  loop.close_window();
  CHECK(differing(statistics, clones(loop.live().seed->buffers())) == 0);
  CHECK(loop.reports.back().regions[loop.region].seeds.at(0).gate.measured);

  const auto folded = loop.ordered(CommandKind::fold);
  INFO(folded.detail);
  REQUIRE(folded.refusal == CommandRefusal::none);
  CHECK(folded.output_change <= 1e-5);
  CHECK(folded.stage == Stage::sunset);
  CHECK(folded.alpha == 0);
  CHECK(loop.all_in(Stage::sunset));
  CHECK(loop.untouched() == ScaffoldLoop::members);
  CHECK(loop.host->module().parameters().size() == parameters);
  CHECK(loop.reports.back().operations.gate > 0);

  // Training goes on from the folded weights, with the moments that they had.
  const auto weights = clones(loop.host->module().parameters());
  const auto learnt = clones(loop.live().parameters);
  (void)loop.tick();
  for (const auto& group : loop.optimizer->param_groups())
    for (std::size_t i = 0; i < group.params().size(); ++i) {
      CHECK_FALSE(same_bits(group.params()[i].detach(), weights[i]));
      const auto& state = static_cast<torch::optim::AdamWParamState&>(
          *loop.optimizer->state().at(group.params()[i].unsafeGetTensorImpl()));
      CHECK(state.step() == static_cast<std::int64_t>(loop.session->step().value));
    }
  loop.close_window();
  CHECK(differing(learnt, clones(loop.live().parameters)) == 0);  // it does nothing any more
  const auto& gate = loop.reports.back().regions[loop.region].seeds.at(0).gate;
  CHECK(gate.measured);
  CHECK(gate.loss_with == gate.loss_without);
  CHECK(gate.samples == 48);

  const auto retired = loop.ordered(CommandKind::retire);
  REQUIRE(retired.refusal == CommandRefusal::none);
  CHECK(retired.stage == Stage::dormant);
  CHECK(retired.parameters > 0);
  CHECK(loop.all_in(Stage::dormant));
  CHECK(loop.session->bed().seeds().empty());
  for (Slot& slot : loop.host->slots()) CHECK(slot.seed() == nullptr);
  CHECK(loop.carry_out(loop.on_group(CommandKind::germinate, 2, design)).refusal ==
        CommandRefusal::none);
}

SCENARIO("a scaffold is weaned: alpha falls by its stages while the host is taught",
         "[session][scaffold][IDENT-1]") {
  ScaffoldLoop loop;
  loop.stabilised("squeeze", 0.5, 1e-4);
  const std::uint64_t before = loop.reports.back().operations.weaning;
  CHECK(before == 0);
  loop.obeyed(CommandKind::wean);
  CHECK(loop.all_in(Stage::weaning));
  CHECK(loop.live().seed->alpha == 1);
  (void)loop.tick();
  CHECK(loop.live().seed->alpha < 1);
  loop.close_window();
  CHECK(loop.ordered(CommandKind::sunset).refusal ==
        CommandRefusal::illegal_stage);  // alpha is not 0
  CHECK(loop.live().seed->alpha == 0.5);
  CHECK(loop.reports.back().operations.weaning > 0);
  CHECK(loop.ordered(CommandKind::advance).refusal == CommandRefusal::illegal_stage);
  loop.obeyed(CommandKind::hold);
  loop.close_window();
  CHECK(loop.live().seed->alpha == 0.5);
  CHECK(loop.reports.back().regions[loop.region].seeds.at(0).gate.measured);
  loop.obeyed(CommandKind::wean);
  for (std::uint32_t step = 0; step + 1 < loop.window_steps; ++step) (void)loop.tick();
  CHECK(loop.live().seed->alpha > 0);
  loop.close_window();
  CHECK(loop.live().seed->alpha == 0);
  CHECK(loop.untouched() == ScaffoldLoop::members);
  CHECK(loop.live().lesson != nullptr);
  loop.obeyed(CommandKind::wean);  // once more changes nothing
  loop.close_window();
  CHECK(loop.live().seed->alpha == 0);
  const auto& gate = loop.reports.back().regions[loop.region].seeds.at(0).gate;
  CHECK(gate.measured);
  CHECK(gate.loss_with == gate.loss_without);
  const auto gone = loop.ordered(CommandKind::sunset);
  REQUIRE(gone.refusal == CommandRefusal::none);
  CHECK(gone.output_change == 0);
  CHECK(gone.stage == Stage::sunset);
  CHECK(loop.live().lesson == nullptr);
  loop.close_window();
  CHECK(loop.reports.back().operations.weaning == 0);
  loop.obeyed(CommandKind::retire);
  CHECK(loop.all_in(Stage::dormant));
}

SCENARIO("the lesson is the divergence from the model as it stood, and a pull to its weights",
         "[scaffold][weaning]") {
  ScaffoldLoop loop;
  loop.stabilised("norm", 0.7, 0.01);
  Tensor taught;
  {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still(all_modules(*loop.host, loop.session->bed()));
    taught = loop.host->forward(loop.batch.inputs);
  }
  loop.forget();
  const Batch batch = loop.batch;
  const auto anchors = clones(loop.host->region_parameters({loop.region}));
  WeaningLesson lesson(*loop.host, loop.session->bed(), {loop.region});
  loop.run(3);
  loop.live().set_alpha(0.25);
  const auto parameters = loop.host->module().parameters();
  std::vector<Tensor> expected;
  {
    const EvaluationScope still(all_modules(*loop.host, loop.session->bed()));
    const auto target = taught.softmax(1);
    const auto student = loop.host->forward(batch.inputs).log_softmax(1);
    const auto divergence = (target * (target.log() - student)).sum(1).mean();
    expected = torch::autograd::grad({divergence * 0.7}, parameters);
  }
  loop.forget();
  const auto own = loop.host->region_parameters({loop.region});
  std::size_t moved = 0;
  for (std::size_t i = 0; i < own.size(); ++i)
    for (std::size_t k = 0; k < parameters.size(); ++k)
      if (parameters[k].is_same(own[i])) {
        expected[k] = expected[k] + 0.01 * (own[i].detach() - anchors[i]).sign();
        ++moved;
      }
  REQUIRE(moved == own.size());
  // A gradient that the task left stays beneath it.
  for (const auto& parameter : parameters) parameter.mutable_grad().reset();
  parameters[0].mutable_grad() = torch::ones_like(parameters[0]);
  expected[0] = expected[0] + 1;
  auto before = loop.digest();
  for (const auto& tensor : clones(loop.live().parameters)) before.push_back(tensor);
  const auto cost = lesson.teach(*loop.host, loop.session->bed(), loop.live(), batch);
  auto after = loop.digest();
  for (const auto& tensor : clones(loop.live().parameters)) after.push_back(tensor);
  CHECK(differing(before, after) == 0);
  CHECK(loop.live().seed->alpha == 0.25);
  CHECK(cost == 4 * 32 * (loop.host->description().operations + loop.live().operations));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    INFO(i);
    REQUIRE(parameters[i].grad().defined());
    CHECK(torch::allclose(parameters[i].grad(), expected[i], 1e-4, 1e-7));
  }
  for (const auto& parameter : loop.live().parameters) CHECK_FALSE(parameter.grad().defined());
}

SCENARIO("what a lesson weighs changes the host that is weaned", "[session][scaffold][weaning]") {
  struct Weighed {
    Digest before, after;
    std::uint64_t operations{};
  };
  // With the graft, or with the command to wean, as the control side does.
  const bool with_the_graft = GENERATE(true, false);
  const auto weaned = [&](double kd_weight, double anchor_weight) {
    ScaffoldLoop loop;
    if (with_the_graft)
      loop.stabilised("norm", kd_weight, anchor_weight);
    else
      loop.stabilised("norm");
    auto wean = loop.on_group(CommandKind::wean);
    if (!with_the_graft)
      wean.mitigations = {.alpha_stages = {1},
                          .knowledge_distillation_weight = kd_weight,
                          .clip_norm = 0,
                          .anchor_weight = anchor_weight};
    const auto outcome = loop.carry_out(wean);
    REQUIRE(outcome.refusal == CommandRefusal::none);
    CHECK(outcome.enforced.knowledge_distillation_weight == kd_weight);
    CHECK(outcome.enforced.anchor_weight == anchor_weight);
    CHECK(outcome.enforced.alpha_stages.size() == 2);
    Weighed weighed{loop.digest(false), {}, 0};
    loop.close_window();
    weighed.after = loop.digest(false);
    weighed.operations = loop.session->operations().weaning;
    return weighed;
  };
  const auto plain = weaned(0, 0), again = weaned(0, 0), taught = weaned(0.5, 0),
             anchored = weaned(0, 0.01);
  CHECK(differing(plain.after, again.after) == 0);
  for (const auto& weighed : {taught, anchored}) {
    CHECK(differing(plain.before, weighed.before) == 0);
    CHECK(differing(plain.after, weighed.after) > 0);
  }
  CHECK(plain.operations == 0);
  CHECK(anchored.operations == 0);
  CHECK(taught.operations > 0);
}

SCENARIO("a scaffold escapes like any seed", "[session][scaffold][IDENT-1]") {
  ScaffoldLoop loop;
  loop.stabilised("norm");
  const bool weaning = GENERATE(false, true);
  if (weaning) loop.obeyed(CommandKind::wean);
  const auto stage = loop.live().stage;
  {
    const torch::NoGradGuard no_graph;
    for (const auto& weight : loop.live().parameters)
      weight.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const auto before = loop.digest(false);
  CHECK_FALSE(loop.tick().proceed());
  CHECK(differing(before, loop.digest(false)) == 0);
  CHECK(loop.live().seed->alpha == 0);
  CHECK(loop.live().stage == stage);
  CHECK(loop.untouched() == ScaffoldLoop::members);
  loop.close_window();
  REQUIRE(loop.reflexes().size() == 1);
  CHECK(loop.reflexes()[0].stage == stage);
  CHECK(loop.tick().proceed());
  loop.close_window();
  // What fell to 0 cannot be folded; weaned, it may leave at once.
  CHECK(loop.ordered(CommandKind::fold).refusal == CommandRefusal::illegal_stage);
  loop.obeyed(CommandKind::wean);
  loop.obeyed(CommandKind::sunset);
  CHECK(loop.all_in(Stage::sunset));
}

SCENARIO("commands that a seed's class or stage forbids are refused", "[session][scaffold]") {
  ScaffoldLoop loop;
  using enum CommandRefusal;
  GIVEN("a growth seed") {
    loop.stand("growth");
    for (const auto kind : {CommandKind::freeze, CommandKind::fold, CommandKind::wean,
                            CommandKind::sunset, CommandKind::retire})
      CHECK(loop.ordered(kind).refusal == not_a_scaffold);
    loop.obeyed(CommandKind::stabilise);
    for (const auto kind : {CommandKind::freeze, CommandKind::fold, CommandKind::wean,
                            CommandKind::sunset, CommandKind::retire})
      CHECK(loop.ordered(kind).refusal == not_a_scaffold);
    CHECK(loop.all_in(Stage::stabilising));
    loop.obeyed(CommandKind::fossilise);
    CHECK(loop.ordered(CommandKind::wean).refusal == not_a_scaffold);
  }
  GIVEN("a scaffold") {
    REQUIRE(loop.carry_out(loop.on_group(CommandKind::germinate, 1, "norm")).refusal == none);
    for (const auto kind : {CommandKind::freeze, CommandKind::fold, CommandKind::wean,
                            CommandKind::sunset, CommandKind::retire})
      CHECK(loop.ordered(kind).refusal == illegal_stage);
    CHECK(loop.ordered(CommandKind::wean, 7).refusal == unknown_seed);
    loop.obeyed(CommandKind::graft);
    for (const auto kind : {CommandKind::freeze, CommandKind::fold, CommandKind::sunset,
                            CommandKind::retire, CommandKind::fossilise})
      CHECK(loop.ordered(kind).refusal == illegal_stage);
    loop.obeyed(CommandKind::advance);
    loop.close_window();
    loop.obeyed(CommandKind::stabilise);
    for (const auto kind :
         {CommandKind::sunset, CommandKind::retire, CommandKind::fossilise, CommandKind::advance})
      CHECK(loop.ordered(kind).refusal == illegal_stage);
    loop.obeyed(CommandKind::wean);
    for (const auto kind : {CommandKind::freeze, CommandKind::fold, CommandKind::retire,
                            CommandKind::fossilise, CommandKind::stabilise})
      CHECK(loop.ordered(kind).refusal == illegal_stage);
    loop.obeyed(CommandKind::escape);
    loop.obeyed(CommandKind::sunset);
    for (const auto kind :
         {CommandKind::freeze, CommandKind::fold, CommandKind::wean, CommandKind::sunset,
          CommandKind::graft, CommandKind::roll_back, CommandKind::fossilise})
      CHECK(loop.ordered(kind).refusal == illegal_stage);
    loop.obeyed(CommandKind::cull);
    CHECK(loop.all_in(Stage::embargoed));
    CHECK(loop.ordered(CommandKind::retire).refusal == unknown_seed);
  }
  GIVEN("designs that no algebra absorbs") {
    const char* design = GENERATE("squeeze", "dropping");
    loop.stabilised(design);
    loop.obeyed(CommandKind::freeze);
    loop.stand_still();
    const auto before = loop.digest(false);
    const auto refused = loop.ordered(CommandKind::fold);
    CHECK(refused.refusal == not_foldable);
    CHECK_FALSE(refused.detail.empty());
    CHECK(loop.all_in(Stage::stabilising));
    CHECK(loop.live().seed->alpha == 1);
  }
}

SCENARIO("a fold that would change the output is undone bit for bit", "[session][scaffold]") {
  auto settings = scaffold_settings();
  settings.scaffolds.fold_change_max = -1;  // whatever it comes to
  ScaffoldLoop loop(settings);
  loop.stabilised("norm");
  loop.obeyed(CommandKind::freeze);
  loop.stand_still();
  const auto before = clones(tensors_of(loop.host->module()));
  const auto refused = loop.ordered(CommandKind::fold);
  CHECK(refused.refusal == CommandRefusal::output_changed);
  CHECK_FALSE(refused.detail.empty());
  CHECK(differing(before, clones(tensors_of(loop.host->module()))) == 0);
  CHECK(loop.live().seed->alpha == 1);
  CHECK(loop.all_in(Stage::stabilising));
  CHECK(loop.untouched() == 0);
}

SCENARIO("a checkpoint is not restored across a scaffold's way out",
         "[session][scaffold][ROLL-1]") {
  ScaffoldLoop loop;
  loop.stabilised("norm");
  GIVEN("another seed that was grafted before") {
    // In the stem's slot.
    auto other = loop.command(CommandKind::germinate, 0, 0, 2, "growth");
    REQUIRE(loop.carry_out(other).refusal == CommandRefusal::none);
    loop.close_window();
    REQUIRE(loop.carry_out(loop.command(CommandKind::graft, 0, 0, 2)).refusal ==
            CommandRefusal::none);
    const auto grafted = loop.session->step();
    bool whole = false;
    WHEN("nothing happened since") { whole = true; }
    WHEN("the scaffold was folded") {
      loop.obeyed(CommandKind::freeze);
      loop.obeyed(CommandKind::fold);
    }
    WHEN("the scaffold began to be weaned") { loop.obeyed(CommandKind::wean); }
    REQUIRE(loop.carry_out(loop.command(CommandKind::roll_back, 0, 0, 2)).refusal ==
            CommandRefusal::none);
    CHECK((loop.session->step() == grafted) == whole);
    CHECK(loop.session->bed().seeds().size() == 1);
  }
  WHEN("its own graft is rolled back, even while it is weaned") {
    loop.obeyed(CommandKind::wean);
    loop.obeyed(CommandKind::roll_back);
    CHECK(loop.all_in(Stage::embargoed));
    loop.run(5);
    TestLoop never(test_settings(Mode::off), fashion_cnn("melt", {6}));
    learn_gently(never);
    never.run(loop.session->step().value);
    CHECK(differing(never.digest(), loop.digest()) == 0);
  }
}
