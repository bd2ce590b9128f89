#include "gpu/snapshot.hpp"

#include "tests/gpu/catch.hpp"

#include <stdexcept>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/utils.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "gpu/isolation.hpp"
#include "gpu/make_host.hpp"
#include "gpu/optimizer_move.hpp"
#include "messages/result.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
using torch::Tensor;
using torch::optim::AdamW;
using torch::optim::AdamWOptions;

namespace {

/// A host with dropout, batch norm, AdamW with weight decay and clipping, on random images whose
/// generator stands for shuffled data.
struct Training {
  Training()
      : host((torch::manual_seed(test_seed()),
              make_host("fashion_cnn", "tiny", {}, /*dropout=*/0.2))),
        optimizer(host->module().parameters(), AdamWOptions(3e-3).weight_decay(0.01)),
        data(own_generator(test_seed(), "data", 0)) {}

  void step() {
    const Tensor images = torch::empty({16, 1, 28, 28}).normal_(0, 1, data);
    const Tensor labels = torch::empty({16}, torch::kInt64).random_(0, 10, data);
    optimizer.zero_grad();
    if (seed_optimizer) seed_optimizer->zero_grad();
    torch::nn::functional::cross_entropy(host->forward(images), labels).backward();
    torch::nn::utils::clip_grad_norm_(host->module().parameters(), 1.0);
    optimizer.step();
    if (seed_optimizer) seed_optimizer->step();
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
  }
  /// A seed with dropout, blended into the first slot.
  void graft() {
    auto blueprint = built_in_blueprints()[2];
    blueprint.dropout = 0.1;
    seed = std::make_shared<Seed>(SeedId{9}, blueprint, std::vector<SlotId>{{0}},
                                  std::vector<SlotDescription>{host->slot(0).description()},
                                  test_seed());
    host->slot(0).plant(seed, 0);
    host->slot(0).set_mode(SlotMode::blended);
    seed->alpha = 1;
    seed_optimizer = std::make_unique<AdamW>(seed->parameters(), AdamWOptions(9e-3));
  }
  void fossilise() {
    host->slot(0).set_mode(SlotMode::fossilised);
    host->adopt(*seed);
    move_parameters(*seed_optimizer, optimizer, seed->parameters(),
                    std::make_unique<AdamWOptions>(3e-3));
  }
  void uproot() {
    host->release(*seed);
    host->slot(0).clear();
    seed_optimizer.reset();
    seed.reset();
  }
  [[nodiscard]] std::vector<Tensor> tensors() const {
    auto all = host->module().parameters();
    for (const Tensor& buffer : host->module().buffers()) all.push_back(buffer);
    return all;
  }
  [[nodiscard]] std::vector<at::Generator> generators() const {
    return {at::detail::getDefaultCPUGenerator(), data};
  }
  /// Everything that makes up the state, copied.
  [[nodiscard]] std::vector<Tensor> digest() {
    std::vector<Tensor> all;
    for (const Tensor& tensor : tensors()) all.push_back(tensor.detach().clone());
    for (const Tensor& parameter : host->module().parameters()) {
      const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
      if (found == optimizer.state().end()) continue;
      auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
      all.push_back(state.exp_avg().clone());
      all.push_back(state.exp_avg_sq().clone());
      all.push_back(torch::full({1}, state.step(), torch::kInt64));
    }
    for (const at::Generator& generator : generators()) all.push_back(generator.get_state());
    return all;
  }

  std::unique_ptr<HostModel> host;
  AdamW optimizer;
  at::Generator data;
  std::shared_ptr<Seed> seed;
  std::unique_ptr<AdamW> seed_optimizer;
};

std::size_t differing(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return a.size() + b.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += bits_equal(a[i], b[i]) ? 0 : 1;
  return count;
}

}  // namespace

SCENARIO("ROLL-1: after a restore the next steps equal those of a run that never adapted",
         "[snapshot][ROLL-1]") {
  Training training;
  Snapshot snapshot;
  CHECK_THROWS_AS(snapshot.restore(), InvariantViolation);
  training.steps(8);
  snapshot.take(training.tensors(), {&training.optimizer}, training.generators());
  CHECK(snapshot.bytes() > 3 * sizeof(float) * 12'082);
  training.steps(8);
  const auto never_adapted = training.digest();
  CHECK(never_adapted.size() > 60);

  WHEN("nothing but steps lay between") {
    snapshot.restore();
    training.steps(8);
    CHECK(differing(training.digest(), never_adapted) == 0);
  }
  WHEN("a seed was grafted, fossilised and rolled back, twice") {
    for (int turn = 0; turn < 2; ++turn) {
      snapshot.restore();
      training.graft();
      training.steps(3);
      training.fossilise();
      training.steps(3);
      CHECK(training.optimizer.param_groups().size() == 2);
      training.uproot();
      snapshot.restore();
      CHECK(training.optimizer.param_groups().size() == 1);
      CHECK(training.optimizer.state().size() == training.host->module().parameters().size());
      training.steps(8);
      CHECK(differing(training.digest(), never_adapted) == 0);
    }
  }
  WHEN("the random stream is forgotten") {
    snapshot.take(training.tensors(), {&training.optimizer}, {training.data});
    training.steps(8);
    const auto first = training.digest();
    snapshot.restore();
    training.steps(8);
    CHECK(differing(training.digest(), first) > 0);  // or ROLL-1 above could not fail
  }
  WHEN("it is taken again") {
    const std::size_t bytes = snapshot.bytes();
    snapshot.take(training.tensors(), {&training.optimizer}, training.generators());
    CHECK(snapshot.bytes() == bytes);
    const auto now = training.digest();
    training.steps(2);
    snapshot.restore();
    CHECK(differing(training.digest(), now) == 0);
  }
}

SCENARIO("parameters move between optimizers without a trace", "[optimizer_move]") {
  const auto train = [](bool move) {
    torch::manual_seed(test_seed());
    torch::nn::Linear host(8, 8);
    torch::nn::Linear seed(8, 8);
    // Equal to the library's defaults, which add_param_group would replace by the optimizer's.
    const auto options = AdamWOptions(1e-3).weight_decay(0.01);
    AdamW host_steps(host->parameters(), AdamWOptions(1e-2));
    AdamW seed_steps(seed->parameters(), options);
    at::Generator stream = own_generator(test_seed(), "regression", 0);
    const Tensor input = torch::empty({32, 8}).normal_(0, 1, stream);
    const Tensor target = torch::empty({32, 8}).normal_(0, 1, stream);
    for (int i = 0; i < 40; ++i) {
      if (move && i == 20)
        move_parameters(seed_steps, host_steps, seed->parameters(),
                        std::make_unique<AdamWOptions>(options));
      host_steps.zero_grad();
      seed_steps.zero_grad();
      torch::nn::functional::mse_loss(host(input) + seed(input), target).backward();
      host_steps.step();
      seed_steps.step();
    }
    if (move) {
      CHECK(seed_steps.state().empty());
      CHECK(seed_steps.param_groups().empty());
      CHECK(host_steps.state().size() == 4);
      forget_parameters(host_steps, seed->parameters());
      CHECK(host_steps.state().size() == 2);
      CHECK(host_steps.param_groups().size() == 1);
    }
    auto all = host->parameters();
    for (const Tensor& parameter : seed->parameters()) all.push_back(parameter);
    return all;
  };
  CHECK(differing(train(false), train(true)) == 0);
}

SCENARIO("a stream scope puts the global stream back, whatever happens inside", "[isolation]") {
  const auto global = [] { return at::detail::getDefaultCPUGenerator().get_state(); };
  const Tensor before = global();
  at::Generator own = own_generator(test_seed(), "scope", 1);
  const Tensor own_before = own.get_state();
  const auto draw = [&](bool fail) {
    const RandomStreamScope scope(own);
    const torch::nn::Linear drawn(4, 4);
    if (fail) throw std::runtime_error("inside");
    return drawn->weight.detach().clone();
  };
  const Tensor first = draw(false);
  CHECK(bits_equal(global(), before));
  CHECK_FALSE(bits_equal(own.get_state(), own_before));
  CHECK_FALSE(bits_equal(draw(false), first));
  CHECK_THROWS_AS(draw(true), std::runtime_error);
  CHECK(bits_equal(global(), before));
  own = own_generator(test_seed(), "scope", 1);
  CHECK(bits_equal(draw(false), first));

  isolation_switches().no_stream_guard = true;
  (void)draw(false);
  isolation_switches().no_stream_guard = false;
  CHECK_FALSE(bits_equal(global(), before));
}

SCENARIO("an evaluation scope gives every submodule its own flag back", "[isolation]") {
  const auto host = make_host("fashion_cnn", "tiny", {}, 0.5);
  auto& module = host->module();
  module.named_modules()["norm1"]->eval();  // the user froze it
  std::vector<bool> flags;
  for (const auto& part : module.modules(false)) flags.push_back(part->is_training());
  {
    const EvaluationScope scope({&module});
    for (const auto& part : module.modules(false)) CHECK_FALSE(part->is_training());
  }
  std::vector<bool> after;
  for (const auto& part : module.modules(false)) after.push_back(part->is_training());
  CHECK(after == flags);
  CHECK(module.is_training());
}

SCENARIO("gradients reach the named parameters alone", "[isolation]") {
  torch::nn::Linear used(2, 2);
  torch::nn::Linear unused(2, 2);
  const Tensor loss = used(torch::ones({1, 2})).sum();
  gradients_into(loss, {used->weight, unused->weight});
  CHECK(used->weight.grad().defined());
  CHECK_FALSE(used->bias.grad().defined());
  CHECK_FALSE(unused->weight.grad().defined());
}
