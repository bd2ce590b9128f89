// What befalls a training follows from its seed and step alone.
#include "gpu/disturbance.hpp"

#include "tests/gpu/catch.hpp"
#include "tests/gpu/test_loop.hpp"

using namespace esper;
using torch::Tensor;

namespace {

DisturbanceConfig planned(DisturbanceKind kind, double amount, std::uint64_t at_step = 0,
                          std::uint32_t steps = 0, const char* region = "") {
  return {.kind = kind, .region = region, .at_step = at_step, .steps = steps, .amount = amount};
}

std::unique_ptr<HostModel> melt_host() {
  torch::manual_seed(7);
  auto host = make_host("fashion_cnn", "melt", {}, 0.1);
  const torch::NoGradGuard no_graph;  // biases that are not 0, so that a change would show
  for (const auto& parameter : host->module().named_parameters())
    if (parameter.key().ends_with("bias")) parameter.value().normal_();
  return host;
}

Digest clones(const std::vector<Tensor>& tensors) {
  Digest copies;
  for (const auto& tensor : tensors) copies.push_back(tensor.detach().clone());
  return copies;
}

constexpr std::uint64_t classes = 10;

}  // namespace

SCENARIO("an initial gain scales a region's weights and nothing else", "[disturbance]") {
  const auto sound = melt_host(), sick = melt_host();
  const Disturbances disturbances({planned(DisturbanceKind::initial_gain, 0.35, 0, 0, "plain")},
                                  *sick, 1, classes);
  const auto before = sound->module().named_parameters();
  std::size_t scaled = 0;
  for (const auto& parameter : sick->module().named_parameters()) {
    INFO(parameter.key());
    const auto& whole = before[parameter.key()];
    const bool weight = parameter.key().starts_with("plain") && parameter.key().ends_with("weight");
    scaled += weight ? 1 : 0;
    CHECK(same_bits(parameter.value().detach(), weight ? whole.detach() * 0.35 : whole.detach()));
  }
  CHECK(scaled == 12);
  const auto elsewhere = planned(DisturbanceKind::weight_damage, 1, 0, 0, "nowhere");
  CHECK_THROWS_AS((Disturbances{{elsewhere}, *sick, 1, classes}), std::runtime_error);
}

SCENARIO("a spike multiplies the rate while it lasts", "[disturbance]") {
  const auto host = melt_host();
  const Disturbances disturbances({planned(DisturbanceKind::learning_rate_spike, 10, 5, 3),
                                   planned(DisturbanceKind::learning_rate_spike, 2, 7, 2)},
                                  *host, 1, classes);
  const std::vector<double> expected{1, 1, 1, 1, 1, 10, 10, 20, 2, 1};
  for (std::size_t step = 0; step < expected.size(); ++step)
    CHECK(disturbances.learning_rate_factor(step) == expected[step]);
}

SCENARIO("label noise redraws its share, the same for the same step", "[disturbance]") {
  const auto host = melt_host();
  const auto noisy = planned(DisturbanceKind::label_noise, 0.5, 10, 20);
  const Disturbances disturbances({noisy}, *host, 3, classes), same({noisy}, *host, 3, classes),
      other({noisy}, *host, 4, classes);
  const auto labels = torch::full({200}, 100, torch::kInt64);  // no label that is ever drawn
  CHECK(disturbances.labels(9, labels).is_same(labels));
  CHECK(disturbances.labels(30, labels).is_same(labels));
  for (const std::uint64_t step : {10, 29}) {
    const auto drawn = disturbances.labels(step, labels);
    const auto redrawn = drawn.lt(static_cast<std::int64_t>(classes));
    CHECK(redrawn.sum().item<std::int64_t>() == 100);
    CHECK(drawn.ge(0).all().item<bool>());
    CHECK(same_bits(drawn, same.labels(step, labels)));
    CHECK_FALSE(same_bits(drawn, other.labels(step, labels)));
    CHECK_FALSE(same_bits(drawn, disturbances.labels(step == 10 ? 11 : 28, labels)));
    CHECK(std::get<0>(at::_unique(drawn)).numel() == classes + 1);
  }
  CHECK(labels.eq(100).all().item<bool>());
}

SCENARIO("damage comes once, by the weights' own deviation, and again after a rollback",
         "[disturbance]") {
  const auto host = melt_host(), other = melt_host();
  const auto damage = planned(DisturbanceKind::weight_damage, 0.5, 4, 0, "plain");
  Disturbances disturbances({damage}, *host, 3, classes), same({damage}, *other, 3, classes);
  const auto whole = clones(host->module().parameters());
  const auto global = at::detail::getDefaultCPUGenerator().get_state();
  for (std::uint64_t step = 0; step < 4; ++step) disturbances.begin_step(step);
  CHECK(differing(whole, clones(host->module().parameters())) == 0);
  disturbances.begin_step(4);
  const auto damaged = clones(host->module().parameters());
  CHECK(differing(whole, damaged) == 12);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (same_bits(whole[i], damaged[i])) continue;
    const double noise = (damaged[i] - whole[i]).std().item<double>();
    CHECK(noise == Approx(0.5 * whole[i].std().item<double>()).epsilon(0.2));
  }
  CHECK(same_bits(global, at::detail::getDefaultCPUGenerator().get_state()));
  disturbances.begin_step(4);  // the step was skipped and is tried again
  disturbances.begin_step(5);
  CHECK(differing(damaged, clones(host->module().parameters())) == 0);
  same.begin_step(4);
  CHECK(differing(damaged, clones(other->module().parameters())) == 0);
  // Back to before it, weights and all: it is due again, and is the same.
  const auto put_back = [&] {
    const torch::NoGradGuard no_graph;
    for (std::size_t i = 0; i < whole.size(); ++i) host->module().parameters()[i].copy_(whole[i]);
    disturbances.rewind();
  };
  put_back();
  const std::uint64_t first = GENERATE(2, 4);
  for (std::uint64_t step = first; step <= 5; ++step) disturbances.begin_step(step);
  CHECK(differing(damaged, clones(host->module().parameters())) == 0);
  disturbances.rewind();  // to after it
  disturbances.begin_step(5);
  CHECK(differing(damaged, clones(host->module().parameters())) == 0);
}
