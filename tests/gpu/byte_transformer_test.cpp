#include "gpu/byte_transformer.hpp"

#include <cmath>

#include <ATen/Parallel.h>
#include <torch/utils.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/random.hpp"
#include "gpu/coupling_probe.hpp"
#include "gpu/importance.hpp"
#include "gpu/isolation.hpp"
#include "gpu/make_host.hpp"
#include "gpu/surgery.hpp"
#include "gpu/task_loss.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
using torch::Tensor;

namespace {

constexpr const char* name = "byte_transformer";

std::unique_ptr<HostModel> small_host(const std::vector<std::uint32_t>& widths = {}) {
  torch::manual_seed(test_seed());
  return make_host(name, "lm-64", widths, /*dropout=*/0);
}

Tensor bytes(std::int64_t sequences, std::int64_t positions) {
  static at::Generator stream = own_generator(test_seed(), "test bytes", 0);
  return torch::empty({sequences, positions}, torch::kInt64).random_(0, 256, stream);
}

/// In every slot of the host, part of it, at alpha 1; no weight is left at zero.
void plant_everywhere(HostModel& host, const Blueprint& blueprint) {
  for (std::uint32_t slot = 0; slot < host.slots().size(); ++slot) {
    const auto seed = std::make_shared<Seed>(
        SeedId{slot + 1}, blueprint, std::vector<SlotId>{{slot}},
        std::vector<SlotDescription>{host.slot(slot).description()}, test_seed());
    seed->alpha = 1;
    auto stream = own_generator(test_seed(), "planted", slot);
    const torch::NoGradGuard no_graph;
    for (const Tensor& parameter : seed->parameters()) parameter.normal_(0, 0.3, stream);
    host.slot(slot).plant(seed, 0);
    host.slot(slot).set_mode(SlotMode::fossilised);
  }
}

/// The first position whose logits differ, bit for bit; `positions` when none does.
std::int64_t first_moved(const Tensor& before, const Tensor& after) {
  for (std::int64_t position = 0; position < before.size(1); ++position)
    if (!bits_equal(before.select(1, position).contiguous(),
                    after.select(1, position).contiguous()))
      return position;
  return before.size(1);
}

}  // namespace

SCENARIO("no output hears of a later byte, whatever is planted", "[byte_transformer]") {
  at::set_num_threads(1);
  std::vector<Blueprint> designs{Blueprint{}};  // without a name: nothing is planted
  for (const Blueprint& blueprint : built_in_blueprints())
    if (layout_of(blueprint.kind) == Layout::sequence) designs.push_back(blueprint);
  CHECK(designs.size() == 7);
  const torch::NoGradGuard no_graph;
  for (const Blueprint& blueprint : designs) {
    INFO("planted: " << blueprint.name);
    const auto host = small_host();
    if (!blueprint.name.empty()) plant_everywhere(*host, blueprint);
    host->module().eval();
    const Tensor read = bytes(3, 128);
    const Tensor before = host->forward(read);
    for (const std::int64_t changed : {0, 1, 31, 32, 64, 100, 127}) {
      const Tensor other = read.clone();
      other.select(1, changed).add_(1).remainder_(256);
      CHECK(first_moved(before, host->forward(other)) == changed);
    }
    // A shorter sequence is the beginning of a longer one.
    CHECK(before.narrow(1, 0, 40).allclose(host->forward(read.narrow(1, 0, 40)), 1e-4, 1e-4));
  }
}

SCENARIO("the probe finds heads and units as they are described", "[byte_transformer][coupling]") {
  at::set_num_threads(1);
  const auto host = small_host();
  CHECK(coupling_fault(*host, bytes(8, 24), test_seed()).value_or("") == "");
  HostDescription wrong = host->description();
  wrong.coupled_groups[0].dimensions.erase(wrong.coupled_groups[0].dimensions.begin() + 2);
  host->describe(wrong);
  CHECK(coupling_fault(*host, "block0.attention", bytes(8, 24), test_seed()).value_or("") ==
        "group block0.attention: tensor block0.attention.value.weight makes its channels in "
        "dimension 0 but is not declared");
}

SCENARIO("a host without half of its heads and units computes what the masked one does",
         "[byte_transformer][surgery]") {
  at::set_num_threads(1);
  const torch::NoGradGuard no_graph;
  const auto host = small_host();
  host->module().eval();
  SeedBed bed(*host);
  plant_everywhere(*host, built_in_blueprints()[9]);
  RandomStream stream(test_seed(), "channels");
  std::vector<GroupCut> cuts;
  for (const CoupledGroup& group : host->description().coupled_groups) {
    GroupCut kept{group.name, {}};
    for (std::uint32_t channel = 0; channel < group.channels; ++channel)
      if (stream.below(2) == 0 || channel == 0)
        kept.kept.push_back(channel);
      else
        mask_channel(*host, bed, group, channel);
    cuts.push_back(std::move(kept));
  }
  const Tensor read = bytes(4, 128);
  const Tensor masked = host->forward(read);
  REQUIRE(cut(*host, bed, cuts).refusal == SurgeryRefusal::none);
  const Tensor sliced = host->forward(read);
  CHECK((sliced - masked).abs().max().item<double>() <= 1e-5 * masked.abs().max().item<double>());
  // What is left is a host of these widths.
  const HostDescription fresh =
      describe_host(name, "lm-64", widths_of(host->description())).value();
  CHECK(host->description().parameters == fresh.parameters);
  CHECK(host->description().operations == fresh.operations);
  std::uint64_t parameters = 0;
  for (const auto& parameter : host->module().parameters())
    parameters += static_cast<std::uint64_t>(parameter.numel());
  CHECK(parameters == fresh.parameters);
  CHECK_NOTHROW(make_host(name, "lm-64", widths_of(host->description()), 0));
}

SCENARIO("a head's importance is the squared slope of the loss along its gate",
         "[byte_transformer][importance]") {
  at::set_num_threads(1);
  const auto host = small_host();
  const SeedBed bed(*host);
  ModelCopy copy([] { return make_host(name, "lm-64", {}, 0); });
  copy.take(*host, bed);
  const Batch batch{bytes(4, 64), bytes(4, 64)};
  const std::atomic<bool> stop{false};
  const auto report = measure(copy, {batch}, cross_entropy, stop);
  REQUIRE(report.problem.empty());
  REQUIRE(report.groups.size() == 6);
  // By hand, in double precision: what a head gives is linear in its value weights; a unit's gate
  // is on what `down` reads.
  copy.host().module().to(torch::kDouble);
  const auto parameters = copy.host().module().named_parameters();
  const auto slope = [&](const Tensor& entries) {
    const torch::NoGradGuard no_graph;
    constexpr double step = 1e-4;
    const Tensor kept = entries.clone();
    const auto loss = [&](double gate) {
      entries.copy_(kept * gate);
      return cross_entropy(copy.host().forward(batch.inputs), batch.targets).item<double>();
    };
    const double found = (loss(1 + step) - loss(1 - step)) / (2 * step);
    entries.copy_(kept);
    return found;
  };
  const auto check = [&](const GroupImportance& measured, const std::vector<double>& slopes) {
    double mean = 0;
    for (const double one : slopes) mean += one * one / static_cast<double>(slopes.size());
    // The slopes of all channels of the group scale the measured ones.
    double ratio = 0;
    for (std::size_t i = 0; i < slopes.size(); ++i)
      ratio =
          std::max(ratio, std::abs(std::sqrt(measured.importance[i] * mean) - std::abs(slopes[i])) /
                              std::sqrt(mean));
    CHECK(ratio < 1e-2);
  };
  std::vector<double> heads, units;
  for (std::int64_t head = 0; head < 4; ++head)
    heads.push_back(
        slope(parameters["block1.attention.value.weight"].detach().narrow(0, 16 * head, 16)));
  check(report.groups[2], heads);
  for (std::int64_t unit = 0; unit < 256; ++unit)
    units.push_back(
        slope(parameters["block1.feed_forward.down.weight"].detach().narrow(1, unit, 1)));
  check(report.groups[3], units);
}
