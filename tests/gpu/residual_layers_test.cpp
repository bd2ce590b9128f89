// Whole residual layers leave without a trace, and come back.
#include <set>

#include "gpu/coupling_probe.hpp"
#include "messages/json.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/layer_training.hpp"

using namespace esper;
using torch::Tensor;

SCENARIO("a host without a layer computes what it does with the layer's branch at zero",
         "[surgery][layers]") {
  const auto which = GENERATE(range(0U, 6U));
  const std::string name = layer_names().at(which);
  LayerTraining training;
  training.plant_fossils();
  training.steps(4);
  const Tensor read = random_bytes(3, 128);
  Snapshot whole;
  whole.take(tensors_of(training.host->module()), {&training.optimizer}, {});
  const Tensor with = training.outputs(read);
  {
    const torch::NoGradGuard no_graph;
    for (const Tensor& writer : writers(*training.host, name)) writer.zero_();
  }
  const Tensor silenced = training.outputs(read);
  whole.restore();
  CHECK(relative_distance(silenced, with) > 1e-3);
  const auto answer = training.remove({name});
  INFO(name << " " << answer.detail);
  REQUIRE(answer.refusal == SurgeryRefusal::none);
  CHECK(relative_distance(training.outputs(read), silenced) <= 1e-6);
  THEN("it is the host that the formulas describe without it") {
    auto widths = default_widths(language_model, "lm-64");
    widths.at(which) = 0;
    const auto fresh = describe_host(language_model, "lm-64", widths).value();
    CHECK(to_json(training.host->description(), Floats::exact) == to_json(fresh, Floats::exact));
    const auto built = make_host(language_model, "lm-64", widths, 0);
    std::uint64_t parameters = 0, own = 0;
    for (const auto& parameter : built->module().parameters())
      parameters += static_cast<std::uint64_t>(parameter.numel());
    for (const auto& parameter : training.host->module().named_parameters())
      if (!parameter.key().starts_with("seed_"))
        own += static_cast<std::uint64_t>(parameter.value().numel());
    CHECK(parameters == fresh.parameters);
    CHECK(own == fresh.parameters);
    const torch::NoGradGuard no_graph;
    CHECK(built->forward(read).sizes() == with.sizes());
  }
}

SCENARIO("a layer leaves with its moments, and what is left trains on", "[surgery][layers]") {
  LayerTraining training;
  training.plant_fossils();
  training.steps(5);
  const auto before = training.standing();
  const ResidualLayer gone = training.host->description().residual_layers.at(2);
  REQUIRE(gone.name == "block1.attention");
  REQUIRE(training.remove({gone.name}, {{"block0.attention", {0, 2, 3}}}).refusal ==
          SurgeryRefusal::none);
  const std::set<std::string> left(gone.tensors.begin(), gone.tensors.end());
  CHECK(left.size() == 6);
  const auto check = [&](bool at_once) {
    std::multiset<at::TensorImpl*> owned;
    for (const auto& group : training.optimizer.param_groups())
      for (const Tensor& parameter : group.params()) owned.insert(parameter.unsafeGetTensorImpl());
    for (const auto& parameter : training.host->module().named_parameters()) {
      INFO(parameter.key());
      CHECK(owned.count(parameter.value().unsafeGetTensorImpl()) == 1);
      const auto moments = training.moments(parameter.value());
      if (left.contains(parameter.key())) {
        CHECK(parameter.value().numel() == 0);
        CHECK(moments.empty());
        CHECK_FALSE(parameter.value().grad().defined());
        continue;
      }
      const auto& was = before.at(parameter.key());
      REQUIRE(moments.size() + 1 == was.size());
      if (parameter.key().starts_with("block0.attention.")) continue;  // cut beside it
      if (at_once) {
        CHECK(bits_equal(parameter.value().detach(), was[0]));
        for (std::size_t i = 0; i < moments.size(); ++i) CHECK(bits_equal(moments[i], was[i + 1]));
      } else if (parameter.key() != "positions.weight" && parameter.key() != "embedding.weight") {
        CHECK((parameter.value() != was[0]).any().item<bool>());
      }
    }
  };
  check(/*at_once=*/true);
  training.steps(10);
  check(/*at_once=*/false);
}

SCENARIO("ROLL-1: a layer that is put back has never been away", "[surgery][layers][ROLL-1]") {
  LayerTraining training;
  training.plant_fossils();
  training.steps(5);
  const std::vector<at::Generator> streams{at::detail::getDefaultCPUGenerator()};
  Snapshot snapshot;
  snapshot.take(tensors_of(training.host->module()), {&training.optimizer}, streams);
  const Structure structure(*training.host, training.bed);
  const std::string described = to_json(training.host->description(), Floats::exact).dump();
  const auto at_cut = training.standing();
  const auto play = [&](int steps) {
    auto data = own_generator(test_seed(), "replayed", 0);
    for (int i = 0; i < steps; ++i) {
      const Tensor read = torch::empty({2, 33}, torch::kInt64).random_(0, 256, data);
      training.optimizer.zero_grad();
      cross_entropy(training.host->forward(read.narrow(1, 0, 32)), read.narrow(1, 1, 32))
          .backward();
      training.optimizer.step();
    }
  };
  play(8);
  const auto never_cut = training.standing();
  for (int turn = 0; turn < 2; ++turn) {
    snapshot.restore();
    REQUIRE(training.remove({"block2.feed_forward"}).refusal == SurgeryRefusal::none);
    play(turn * 3);
    snapshot.restore();
    structure.restore(*training.host, training.bed);
    CHECK(differing_standing(training.standing(), at_cut) == 0);
    CHECK(to_json(training.host->description(), Floats::exact).dump() == described);
    play(8);
    CHECK(differing_standing(training.standing(), never_cut) == 0);
  }
}

SCENARIO("a removal that is refused changes nothing", "[surgery][layers]") {
  LayerTraining training;
  training.steps(2);
  const auto before = training.standing();
  const auto refusal = [&](const std::vector<std::string>& layers,
                           const std::vector<GroupCut>& cuts = {}) {
    const auto answer = training.remove(layers, cuts);
    CHECK(differing_standing(training.standing(), before) == 0);
    CHECK(answer.detail.empty() == (answer.refusal == SurgeryRefusal::none));
    return answer.refusal;
  };
  const std::string layer = "block1.attention";
  CHECK(refusal({"block9.attention"}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({layer, layer}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({layer}, {{layer, {0, 1}}}) == SurgeryRefusal::uncoupled);
  CHECK(refusal({layer}, {{"nobody", {0}}}) == SurgeryRefusal::uncoupled);
  WHEN("a seed is on trial in its region") {
    auto live = std::make_unique<LiveSeed>();
    live->seed = std::make_shared<Seed>(
        SeedId{1}, built_in_blueprints()[9], std::vector<SlotId>{{4}},
        std::vector<SlotDescription>{training.host->slot(4).description()}, test_seed());
    live->region = {1};
    live->stage = Stage::train_isolated;
    live->slots = {&training.host->slot(4)};
    training.host->slot(4).plant(live->seed, 0);
    training.bed.seeds().push_back(std::move(live));
    CHECK(refusal({layer}) == SurgeryRefusal::region_has_seeds);
    CHECK(training.remove({"block0.attention"}).refusal == SurgeryRefusal::none);
  }
  WHEN("it has left before") {
    REQUIRE(training.remove({layer}).refusal == SurgeryRefusal::none);
    CHECK(training.remove({layer}).refusal == SurgeryRefusal::uncoupled);
    CHECK(training.remove({}, {{layer, {0}}}).refusal == SurgeryRefusal::uncoupled);
    training.steps(2);
  }
}

SCENARIO("the probe sees a layer that is described wrongly", "[coupling][layers]") {
  LayerTraining training;
  HostModel& host = *training.host;
  const HostDescription right = host.description();
  const Tensor read = random_bytes(8, 24);
  const auto fault = [&](const auto& change) {
    HostDescription wrong = right;
    wrong.coupled_groups.clear();
    change(wrong.residual_layers);
    host.describe(wrong);
    return coupling_fault(host, read, test_seed()).value_or("");
  };
  const auto before = training.standing();
  CHECK(fault([](auto&) {}) == "");
  CHECK(fault([](auto& layers) { layers[3].tensors.erase(layers[3].tensors.begin()); }) ==
        "layer block1.feed_forward: tensor block1.feed_forward_norm.weight is its own but is not "
        "declared");
  CHECK_THAT(fault([](auto& layers) { layers[3].tensors.push_back("norm.weight"); }),
             Catch::StartsWith("layer block1.feed_forward: the host cannot compute without it: "));
  CHECK_THAT(fault([](auto& layers) { layers[3].tensors.push_back("nowhere.weight"); }),
             Catch::StartsWith("layer block1.feed_forward: "));
  CHECK(differing_standing(training.standing(), before) == 0);
}
