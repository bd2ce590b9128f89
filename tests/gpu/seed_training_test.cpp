// Passes beside the training pass against the same passes written out.
#include "gpu/seed_training.hpp"

#include <torch/csrc/autograd/autograd.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/test_loop.hpp"

using namespace esper;
using torch::Tensor;

namespace {

/// Evaluation mode for the host and the seeds, which are blended at alpha whatever their stage, in
/// the host's own graph: no trial, no switch of gradients inside a slot.
class Blended {
 public:
  Blended(TestLoop& loop, const std::vector<std::uint64_t>& seeds, double alpha)
      : loop_(loop), seeds_(seeds), still_({&loop.host->module()}) {
    for (const auto seed : seeds_) set(seed, SlotMode::blended, alpha);
  }
  ~Blended() {
    for (const auto seed : seeds_) set(seed, SlotMode::isolated, 0);
    for (Slot& slot : loop_.host->slots()) slot.forget();
  }
  Blended(const Blended&) = delete;
  Blended& operator=(const Blended&) = delete;

  [[nodiscard]] Tensor logits(const Batch& batch) { return loop_.host->forward(batch.inputs); }
  [[nodiscard]] double loss(const Batch& batch) {
    return at::cross_entropy_loss(logits(batch), batch.targets).item<double>();
  }

 private:
  void set(std::uint64_t seed, SlotMode mode, double alpha) {
    for (Slot* slot : loop_.live(seed).slots) slot->set_mode(mode);
    loop_.live(seed).set_alpha(alpha);
  }
  TestLoop& loop_;
  std::vector<std::uint64_t> seeds_;
  EvaluationScope still_;
};

/// Mean over the batch of the sum over classes of p (log p - log q).
Tensor divergence(const Tensor& p_logits, const Tensor& q_logits) {
  const auto p = p_logits.softmax(1);
  return (p * (p.log() - q_logits.log_softmax(1))).sum(1).mean();
}

/// One seed on trial in slot 0, unclipped, with that weight on distillation.
void germinate(TestLoop& loop, double distillation) {
  loop.close_window();
  auto command = loop.command(CommandKind::germinate, 0, 0, 1, "plain");
  command.mitigations.knowledge_distillation_weight = distillation;
  command.mitigations.clip_norm = 0;
  REQUIRE(loop.carry_out(command).refusal == CommandRefusal::none);
  REQUIRE(loop.live().mitigations.knowledge_distillation_weight == distillation);
}

std::uint64_t shadow(TestLoop& loop, const Batch& batch) {
  return shadow_pass(
      *loop.host, *loop.optimizer, loop.session->bed(), loop.live(), batch,
      [](const Tensor& logits, const Tensor& labels) {
        return at::cross_entropy_loss(logits, labels);
      },
      1);
}

/// Labels that the host was not trained on: the task pulls away from what the host says.
Batch contrary(const TestLoop& loop) {
  return {loop.batch.inputs, (loop.batch.targets + 1).remainder(4)};
}

}  // namespace

SCENARIO("a shadow pass follows task loss and distillation as configured", "[seed_training]") {
  const double weight = GENERATE(0.0, 2.0);
  TestLoop loop;
  germinate(loop, weight);
  const Batch batch = contrary(loop);
  const auto before = loop.digest();
  Tensor host_says;
  {
    const torch::NoGradGuard no_graph;
    host_says = Blended(loop, {}, 0).logits(batch);
  }
  double expected = 0;
  {
    Blended blended(loop, {1}, 1);
    const auto logits = blended.logits(batch);
    auto loss = at::cross_entropy_loss(logits, batch.targets);
    if (weight > 0) loss = loss + weight * divergence(host_says, logits);
    for (const auto& gradient : torch::autograd::grad({loss}, loop.live().parameters))
      expected += gradient.square().sum().item<double>();
  }
  const auto cost = shadow(loop, batch);
  CHECK(loop.live().gradient_norm == Approx(std::sqrt(expected)).epsilon(1e-4));
  CHECK(loop.live().updates == 1);
  CHECK(differing(before, loop.digest()) == 0);

  const auto& host = loop.host->description();
  const std::uint64_t tail = host.slots[0].operations_downstream;
  // Host forward once, the teacher's too if there is one; back through the tail for inputs alone;
  // the seed forward and back as in training.
  CHECK(cost == 32 * ((weight > 0 ? 2 : 1) * host.operations + tail + 3 * loop.live().operations));
}

SCENARIO("distillation keeps the shadow near what the host says", "[seed_training]") {
  const auto distance_after = [](double weight, int passes) {
    TestLoop loop;
    germinate(loop, weight);
    const Batch batch = contrary(loop);
    for (int i = 0; i < passes; ++i) (void)shadow(loop, batch);
    const torch::NoGradGuard no_graph;
    const auto host_says = Blended(loop, {}, 0).logits(batch);
    return divergence(host_says, Blended(loop, {1}, 1).logits(batch)).item<double>();
  };
  const double at_birth = distance_after(0, 0);
  CHECK(distance_after(0, 60) > at_birth);
  CHECK(distance_after(100, 60) < at_birth / 2);
}

SCENARIO("a gate pass measures each seed alone, and those that help together", "[seed_training]") {
  TestLoop loop;
  loop.close_window();
  loop.order_next(loop.command(CommandKind::germinate, 0, 0, 1, "plain"));
  loop.order_next(loop.command(CommandKind::germinate, 1, 2, 2, "dropping"));
  const auto gate = [&](std::uint64_t seed) { return loop.live(seed).gate; };
  const auto helps = [&](std::uint64_t seed) {
    return gate(seed).measured && gate(seed).loss_with < gate(seed).loss_without;
  };
  do loop.close_window();
  while (!helps(1) || !helps(2));
  const Batch batch{loop.images.slice(0, 0, gate(1).samples),
                    loop.labels.slice(0, 0, gate(1).samples)};
  {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still(loop.live(2).seed->module_pointers());  // its dropout
    const AverageScope averaged({&loop.live(1), &loop.live(2)});
    const double without = Blended(loop, {}, 1).loss(batch);
    const double joint = Blended(loop, {1, 2}, 1).loss(batch);
    for (const std::uint64_t seed : {1, 2}) {
      CHECK(gate(seed).finite);
      CHECK(gate(seed).loss_without == without);
      CHECK(gate(seed).loss_with == Blended(loop, {seed}, 1).loss(batch));
      CHECK(gate(seed).loss_joint == joint);
      CHECK(gate(seed).loss_joint != gate(seed).loss_with);  // or nothing joint was measured
    }
  }
  WHEN("one turns harmful") {
    {
      const torch::NoGradGuard no_graph;
      for (const auto& average : loop.live(2).average.tensors()) average.fill_(30);
    }
    loop.close_window();
    CHECK_FALSE(helps(2));
    CHECK(gate(2).loss_joint == gate(2).loss_with);
    CHECK(gate(1).loss_joint == gate(1).loss_with);  // it is not blamed for the other
  }
  WHEN("one is left on trial") {
    (void)loop.carry_out(loop.command(CommandKind::cull, 1, 2, 2));
    CHECK(gate(1).measured);
    CHECK(gate(1).loss_joint == gate(1).loss_with);
  }
}
