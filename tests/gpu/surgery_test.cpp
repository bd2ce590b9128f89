#include "gpu/surgery.hpp"

#include <set>

#include "gpu/seed_coupling.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/surgery_training.hpp"

using namespace esper;
using torch::Tensor;

namespace {

const std::vector<GroupCut>& both_cuts() {
  static const std::vector<GroupCut> cuts{{"trunk", {0, 2, 3, 6, 7}}, {"top", {1, 4, 5}}};
  return cuts;
}

/// What is left of `before` when the kept channels are selected wherever a size has changed.
Tensor selected(Tensor before, const Tensor& after, const std::vector<std::uint32_t>& kept) {
  for (std::int64_t dimension = 0; dimension < before.dim(); ++dimension) {
    if (before.size(dimension) == after.size(dimension)) continue;
    const std::int64_t each = before.size(dimension) / 8;
    std::vector<Tensor> slabs;
    for (const std::uint32_t channel : kept)
      slabs.push_back(before.narrow(dimension, channel * each, each));
    before = torch::cat(slabs, dimension);
  }
  return before;
}

std::map<std::string, std::vector<Tensor>> with_moments(SurgeryTraining& training) {
  std::map<std::string, std::vector<Tensor>> all;
  const auto add = [&](const auto& tensors) {
    for (const auto& tensor : tensors) {
      auto& held = all[tensor.key()];
      held.push_back(tensor.value().detach().clone());
      for (const Tensor& moment : training.moments(tensor.value())) held.push_back(moment.clone());
    }
  };
  add(training.host->module().named_parameters());
  add(training.host->module().named_buffers());
  return all;
}

/// Every parameter of the host in one group of its optimizer, and nothing else in it.
void check_ownership(SurgeryTraining& training) {
  std::multiset<at::TensorImpl*> owned;
  for (const auto& group : training.optimizer.param_groups())
    for (const Tensor& parameter : group.params()) owned.insert(parameter.unsafeGetTensorImpl());
  const auto parameters = training.host->module().parameters();
  CHECK(owned.size() == parameters.size());
  for (const Tensor& parameter : parameters)
    CHECK(owned.count(parameter.unsafeGetTensorImpl()) == 1);
}

void check_options(const torch::nn::Module& module) {
  for (const auto& part : module.modules(false)) {
    if (const auto* convolution = part->as<torch::nn::Conv2dImpl>()) {
      const auto& options = convolution->options;
      CHECK(options.out_channels() == convolution->weight.size(0));
      CHECK(options.in_channels() == convolution->weight.size(1) * options.groups());
    } else if (const auto* norm = part->as<torch::nn::BatchNorm2dImpl>()) {
      CHECK(norm->options.num_features() == norm->running_var.size(0));
    } else if (const auto* linear = part->as<torch::nn::LinearImpl>()) {
      CHECK(linear->options.in_features() == linear->weight.size(1));
    }
  }
}

}  // namespace

SCENARIO("channels leave with their moments, and what is left computes and trains on",
         "[surgery]") {
  at::set_num_threads(1);
  const auto designs = designs_to_cut();
  const auto first = GENERATE(0U, 3U, 4U);
  SurgeryTraining training;
  for (std::uint32_t slot = 0; slot < 3; ++slot)
    training.plant(designs.at(first + slot), slot, Stage::fossilised);
  training.steps(6);
  const auto before = with_moments(training);
  const auto [images, labels] = training.draw(32);

  Snapshot whole;
  whole.take(tensors_of(training.host->module()), {&training.optimizer}, {});
  for (const CoupledGroup& group : training.host->description().coupled_groups) {
    const auto& kept = both_cuts()[group.name == "trunk" ? 0 : 1].kept;
    for (std::uint32_t channel = 0; channel < group.channels; ++channel)
      if (std::find(kept.begin(), kept.end(), channel) == kept.end())
        mask_channel(*training.host, training.bed, group, channel);
  }
  const Tensor masked = training.outputs(images);
  whole.restore();
  CHECK(relative_distance(training.outputs(images), masked) > 1e-3);

  const auto answer = cut(*training.host, training.bed, training.optimizer, both_cuts());
  INFO(answer.detail);
  REQUIRE(answer.refusal == SurgeryRefusal::none);
  THEN("the sliced host computes what the masked one does") {
    CHECK(relative_distance(training.outputs(images), masked) <= 1e-5);
  }
  THEN("weights, buffers and moments are the indexed originals, bit for bit") {
    const auto after = with_moments(training);
    REQUIRE(after.size() == before.size());
    std::size_t shrunk = 0;
    for (const auto& [name, tensors] : after) {
      INFO(name);
      const auto& was = before.at(name);
      REQUIRE(was.size() == tensors.size());
      const bool above =
          name.starts_with("seed_slot2") || name.starts_with("norm2") || name.starts_with("head");
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        auto expected = selected(was[i], tensors[i], both_cuts()[above ? 1 : 0].kept);
        if (name == "conv2.weight" && i < 4)
          expected = was[i]
                         .index_select(0, torch::tensor({1, 4, 5}))
                         .index_select(1, torch::tensor({0, 2, 3, 6, 7}));
        CHECK(bits_equal(tensors[i], expected));
      }
      shrunk += was[0].numel() > tensors[0].numel() ? 1 : 0;
    }
    CHECK(shrunk >= 17);
    CHECK(training.host->slot(0).description().channels == 5);
    CHECK(training.host->description().coupled_groups[1].channels == 3);
    check_options(training.host->module());
  }
  THEN("a new seed narrowed from the birth's width has the same shape") {
    for (const auto& live : training.bed.seeds()) {
      INFO(live->seed->blueprint.name);
      const SlotId slot = live->seed->slots.front();
      SlotDescription place = training.host->slot(slot.value).description();
      const std::uint32_t channels = place.channels;
      place.channels = 8;
      Seed twin({9}, live->seed->blueprint, {slot}, {place}, test_seed());
      CHECK(twin.born_channels == live->seed->born_channels);
      narrow(twin, channels);
      check_options(*twin.modules[0]);
      const auto tensors = tensors_of(*twin.modules[0]);
      const auto cut_tensors = tensors_of(*live->seed->modules[0]);
      REQUIRE(tensors.size() == cut_tensors.size());
      for (std::size_t i = 0; i < tensors.size(); ++i)
        CHECK(tensors[i].sizes() == cut_tensors[i].sizes());
      const auto input = torch::ones({2, channels, place.height, place.width});
      CHECK(twin.evaluate(0, input).sizes() == input.sizes());
      CHECK_THROWS_AS(narrow(twin, 9), InvariantViolation);
    }
  }
  THEN("every surviving parameter belongs to one optimizer and moves") {
    const auto start = with_moments(training);
    check_ownership(training);
    training.steps(50);
    check_ownership(training);
    for (const auto& parameter : training.host->module().named_parameters()) {
      INFO(parameter.key());
      CHECK((parameter.value() != start.at(parameter.key())[0]).all().item<bool>());
    }
  }
}

SCENARIO("ROLL-1: a cut that is rolled back has never been", "[surgery][ROLL-1]") {
  at::set_num_threads(1);
  SurgeryTraining training;
  auto dropping = designs_to_cut()[2];
  dropping.dropout = 0.2;
  const auto& live = training.plant(dropping, 0, Stage::fossilised);
  training.steps(6);
  const std::vector<at::Generator> streams{at::detail::getDefaultCPUGenerator(), training.data,
                                           live.seed->generator};
  Snapshot snapshot;
  snapshot.take(tensors_of(training.host->module()), {&training.optimizer}, streams);
  const Structure structure(*training.host, training.bed);
  const auto at_cut = training.digest();
  const auto operations = live.operations;
  training.steps(20);
  const auto never_cut = training.digest();
  for (int turn = 0; turn < 2; ++turn) {
    snapshot.restore();
    // To one channel: a convolution of one group no longer shows that it was depthwise.
    REQUIRE(cut(*training.host, training.bed, training.optimizer, {{"trunk", {5}}, {"top", {1, 2}}})
                .refusal == SurgeryRefusal::none);
    CHECK(live.operations == operations_of(dropping, 1, 6, 6));
    training.steps(turn * 5);
    snapshot.restore();
    structure.restore(*training.host, training.bed);
    CHECK(differing_tensors(training.digest(), at_cut) == 0);
    CHECK(live.operations == operations);
    CHECK(training.host->slot(1).description().channels == 8);
    check_options(training.host->module());
    training.steps(20);
    CHECK(differing_tensors(training.digest(), never_cut) == 0);
  }
}

SCENARIO("a refused cut changes nothing", "[surgery]") {
  at::set_num_threads(1);
  SurgeryTraining training;
  training.steps(3);
  const auto before = training.digest();
  const auto refusal = [&](const std::vector<GroupCut>& cuts) {
    const auto answer = cut(*training.host, training.bed, training.optimizer, cuts);
    CHECK(differing_tensors(training.digest(), before) == 0);
    CHECK(training.host->slot(0).description().channels == 8);
    CHECK(answer.detail.empty() == (answer.refusal == SurgeryRefusal::none));
    return answer.refusal;
  };
  const auto redescribe = [&](const auto& change) {
    HostDescription description = training.host->description();
    change(description.coupled_groups[0].dimensions);
    training.host->describe(description);
  };
  const GroupCut good{"trunk", {0, 1, 2, 3}};
  CHECK(refusal({good, {"nobody", {0}}}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({good, {"top", {7, 8}}}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({good, {"top", {}}}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({good, {"top", {3, 2}}}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({good, {"trunk", {0, 1}}}) == SurgeryRefusal::uncoupled);
  WHEN("a buffer is not there") {
    redescribe([](auto& dimensions) { dimensions.push_back({"norm9.running_mean", 0, 1}); });
    CHECK(refusal({good}) == SurgeryRefusal::uncoupled);
  }
  WHEN("a buffer is shorter") {
    redescribe([](auto& dimensions) { dimensions.push_back({"norm1.running_mean", 0, 2}); });
    CHECK(refusal({good}) == SurgeryRefusal::uncoupled);
  }
  WHEN("a seed is on trial where a tensor of the group is") {
    training.plant(designs_to_cut()[0], 2, Stage::grafting);
    CHECK(refusal({good}) == SurgeryRefusal::region_has_seeds);  // conv2 is its reader
    training.bed.remove(SeedId{3});
    CHECK(cut(*training.host, training.bed, training.optimizer, {good}).refusal ==
          SurgeryRefusal::none);
  }
  WHEN("a seed below is on trial") {
    training.plant(designs_to_cut()[0], 0, Stage::train_isolated);
    CHECK(refusal({good}) == SurgeryRefusal::region_has_seeds);
    CHECK(cut(*training.host, training.bed, training.optimizer, {{"top", {0, 1, 2, 3}}}).refusal ==
          SurgeryRefusal::none);
  }
  WHEN("a fossilised seed is not what its design says") {
    auto& live = training.plant(designs_to_cut()[0], 0, Stage::train_isolated);
    live.seed->blueprint.kind = BlueprintKind::low_rank;
    live.stage = Stage::fossilised;
    CHECK(refusal({good}) == SurgeryRefusal::uncoupled);
  }
}

SCENARIO("a seed's cost is counted from its tensors", "[surgery]") {
  for (const Blueprint& design : designs_to_cut())
    for (const std::uint32_t channels : {8U, 33U}) {
      INFO(design.name << " on " << channels);
      const SlotDescription place{"slot", {}, SlotKind::point, "", channels, 7, 5, 0, ""};
      const Seed seed({1}, design, {{0}}, {place}, test_seed());
      CHECK(seed_operations(design, *seed.modules[0], place) ==
            operations_of(design, channels, 7, 5));
    }
}
