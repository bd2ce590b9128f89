#include "gpu/weight_average.hpp"

#include <torch/types.h>

#include "tests/gpu/catch.hpp"
#include "tests/gpu/test_loop.hpp"

using namespace esper;

namespace {

torch::Tensor filled(double value) { return torch::full({3, 2}, value); }

}  // namespace

SCENARIO("the average of few weights is their mean, of many that of the newest", "[average]") {
  WeightAverage average;
  const auto weights = filled(0);
  CHECK(average.tensors().empty());
  for (int update = 1; update <= 9; ++update) {
    weights.fill_(update);
    average.take({weights}, static_cast<std::uint64_t>(update));
  }
  REQUIRE(average.tensors().size() == 1);
  CHECK(average.tensors()[0].allclose(filled(5)));
  weights.fill_(100);
  for (std::uint64_t update = 10; update < 1'000; ++update) average.take({weights}, update);
  CHECK(average.tensors()[0].allclose(filled(100)));
}

SCENARIO("weights and average change places, and back bit for bit", "[average]") {
  WeightAverage average;
  const auto weights = torch::randn({4, 5});
  average.exchange({weights});  // there is none yet
  const auto first = weights.clone();
  average.take({weights}, 1);
  weights.add_(torch::randn({4, 5}));
  average.take({weights}, 2);
  const auto newest = weights.clone();
  const auto mean = average.tensors()[0].clone();
  CHECK(mean.allclose((first + newest) / 2));
  average.exchange({weights});
  CHECK(same_bits(weights, mean));
  average.exchange({weights});
  CHECK(same_bits(weights, newest));
  CHECK(same_bits(average.tensors()[0], mean));
  average.settle({weights});
  CHECK(same_bits(weights, mean));
  CHECK(average.tensors().empty());
}

SCENARIO("a seed is grafted with its averaged weights", "[average][session]") {
  TestLoop loop;
  loop.close_window();
  (void)loop.carry_out(loop.command(CommandKind::germinate, 0, 0, 1, "plain"));
  // Seeds learn on every second step: before an odd boundary the last step teaches nothing.
  do loop.close_window();
  while (loop.session->tick().value % 2 == 1 || loop.live().updates < 5);
  const auto graft = loop.command(CommandKind::graft, 0, 0, 1);
  loop.order_next(graft);
  while ((loop.session->tick().value + 1) % loop.window_steps != 0) (void)loop.tick();
  const auto newest = loop.live().parameters.front().detach().clone();
  const auto average = loop.live().average.tensors().front().clone();
  REQUIRE_FALSE(same_bits(newest, average));
  (void)loop.tick();
  REQUIRE(loop.outcome_of(graft.id).refusal == CommandRefusal::none);
  CHECK(same_bits(loop.live().parameters.front().detach(), average));
  CHECK(loop.live().average.tensors().empty());
}
