// Whole residual layers: what they are worth, that they leave without a trace, and come back.
#include <filesystem>
#include <iostream>
#include <set>

#include "actors/decisions/random.hpp"
#include "gpu/coupling_probe.hpp"
#include "gpu/importance.hpp"
#include "gpu/make_host.hpp"
#include "gpu/surgery.hpp"
#include "gpu/task_loss.hpp"
#include "gpu/text_data.hpp"
#include "messages/json.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/surgery_training.hpp"

using namespace esper;
using torch::Tensor;

namespace {

constexpr const char* language_model = "byte_transformer";

Tensor bytes(std::int64_t sequences, std::int64_t positions) {
  static at::Generator stream = own_generator(test_seed(), "layer test bytes", 0);
  return torch::empty({sequences, positions}, torch::kInt64).random_(0, 256, stream);
}

/// A language model with a seed of another design in every second slot, trained for some steps.
struct LayerTraining {
  LayerTraining()
      : host((torch::manual_seed(test_seed()), make_host(language_model, "lm-64", {}, 0.1))),
        bed(*host),
        optimizer(host->module().parameters(),
                  torch::optim::AdamWOptions(3e-3).weight_decay(0.01).amsgrad(true)) {
    at::set_num_threads(1);
  }
  void plant_fossils() {
    std::uint32_t slot = 0;
    for (const Blueprint& design : built_in_blueprints()) {
      if (layout_of(design.kind) != Layout::sequence || slot >= host->slots().size()) continue;
      auto live = std::make_unique<LiveSeed>();
      live->seed = std::make_shared<Seed>(
          SeedId{slot + 1}, design, std::vector<SlotId>{{slot}},
          std::vector<SlotDescription>{host->slot(slot).description()}, test_seed());
      live->seed->alpha = 0.5;
      live->region = host->description().slots[slot].region;
      live->stage = Stage::fossilised;
      live->slots = {&host->slot(slot)};
      live->parameters = live->seed->parameters();
      host->slot(slot).plant(live->seed, 0);
      host->slot(slot).set_mode(SlotMode::fossilised);
      bed.set_stage(live->seed->slots, live->stage);
      host->adopt(*live->seed);
      optimizer.add_param_group(torch::optim::OptimizerParamGroup(live->parameters));
      optimizer.param_groups().back().set_options(
          optimizer.param_groups().front().options().clone());
      auto stream = own_generator(test_seed(), "planted", slot);
      const torch::NoGradGuard no_graph;
      for (const Tensor& parameter : live->parameters) parameter.normal_(0, 0.2, stream);
      bed.seeds().push_back(std::move(live));
      slot += 2;
    }
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      const Tensor read = bytes(2, 33);
      optimizer.zero_grad();
      cross_entropy(host->forward(read.narrow(1, 0, 32)), read.narrow(1, 1, 32)).backward();
      optimizer.step();
    }
  }
  [[nodiscard]] Tensor outputs(const Tensor& read) {
    const torch::NoGradGuard no_graph;
    const EvaluationScope still({&host->module()});
    return host->forward(read);
  }
  [[nodiscard]] CutAnswer remove(const std::vector<std::string>& layers,
                                 const std::vector<GroupCut>& cuts = {}) {
    return cut(*host, bed, optimizer, cuts, layers);
  }
  [[nodiscard]] std::vector<Tensor> moments(const Tensor& parameter) {
    const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
    if (found == optimizer.state().end()) return {};
    auto& state = static_cast<torch::optim::AdamWParamState&>(*found->second);
    return {state.exp_avg(), state.exp_avg_sq(), state.max_exp_avg_sq(),
            torch::tensor(state.step())};
  }
  /// By name: the weights and their moments, copied.
  [[nodiscard]] std::map<std::string, std::vector<Tensor>> standing() {
    std::map<std::string, std::vector<Tensor>> all;
    for (const auto& parameter : host->module().named_parameters()) {
      auto& held = all[parameter.key()];
      held.push_back(parameter.value().detach().clone());
      for (const Tensor& moment : moments(parameter.value())) held.push_back(moment.clone());
    }
    for (const auto& buffer : host->module().named_buffers())
      all[buffer.key()] = {buffer.value().detach().clone()};
    return all;
  }

  std::unique_ptr<HostModel> host;
  SeedBed bed;
  torch::optim::AdamW optimizer;
};

std::size_t differing(const std::map<std::string, std::vector<Tensor>>& a,
                      const std::map<std::string, std::vector<Tensor>>& b) {
  if (a.size() != b.size()) return a.size() + b.size();
  std::size_t count = 0;
  for (const auto& [name, tensors] : a) {
    const auto& others = b.at(name);
    if (others.size() != tensors.size()) ++count;
    for (std::size_t i = 0; i < std::min(tensors.size(), others.size()); ++i)
      count += bits_equal(tensors[i], others[i]) ? 0 : 1;
  }
  return count;
}

/// The weights and biases that write what the layer adds to the stream.
std::vector<Tensor> writers(HostModel& host, const std::string& layer) {
  const auto parameters = host.module().named_parameters();
  if (layer.ends_with("attention")) return {parameters[layer + ".out.weight"].detach()};
  return {parameters[layer + ".down.weight"].detach(), parameters[layer + ".down.bias"].detach()};
}

const std::vector<std::string>& layer_names() {
  static const std::vector<std::string> names{"block0.attention", "block0.feed_forward",
                                              "block1.attention", "block1.feed_forward",
                                              "block2.attention", "block2.feed_forward"};
  return names;
}

}  // namespace

SCENARIO("a host without a layer computes what it does with the layer's branch at zero",
         "[surgery][layers]") {
  const auto which = GENERATE(range(0U, 6U));
  const std::string name = layer_names().at(which);
  LayerTraining training;
  training.plant_fossils();
  training.steps(4);
  const Tensor read = bytes(3, 128);
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
    CHECK(differing(training.standing(), at_cut) == 0);
    CHECK(to_json(training.host->description(), Floats::exact).dump() == described);
    play(8);
    CHECK(differing(training.standing(), never_cut) == 0);
  }
}

SCENARIO("a removal that is refused changes nothing", "[surgery][layers]") {
  LayerTraining training;
  training.steps(2);
  const auto before = training.standing();
  const auto refusal = [&](const std::vector<std::string>& layers,
                           const std::vector<GroupCut>& cuts = {}) {
    const auto answer = training.remove(layers, cuts);
    CHECK(differing(training.standing(), before) == 0);
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
  const Tensor read = bytes(8, 24);
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
  CHECK(differing(training.standing(), before) == 0);
}

SCENARIO("a layer's importance is the squared slope of the loss along its branch's gate",
         "[importance][layers]") {
  LayerTraining training;
  training.steps(30);
  ModelCopy copy([] { return make_host(language_model, "lm-64", {}, 0.1); });
  copy.take(*training.host, training.bed);
  const Tensor read = bytes(4, 65);
  const Batch batch{read.narrow(1, 0, 64), read.narrow(1, 1, 64)};
  const std::atomic<bool> stop{false};
  const auto report = measure(copy, {batch}, cross_entropy, stop);
  REQUIRE(report.problem.empty());
  REQUIRE(report.layers.size() == 6);
  copy.host().module().to(torch::kDouble);
  std::vector<double> slopes, alike;
  double mean = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::string& name = layer_names()[i];
    CHECK(report.layers[i].layer == name);
    const torch::NoGradGuard no_graph;
    constexpr double step = 1e-4;
    const auto entries = writers(copy.host(), name);
    const auto loss = [&](double gate) {
      for (const Tensor& entry : entries) entry.mul_(gate);
      const double found =
          cross_entropy(copy.host().forward(batch.inputs), batch.targets).item<double>();
      for (const Tensor& entry : entries) entry.div_(gate);
      return found;
    };
    slopes.push_back((loss(1 + step) - loss(1 - step)) / (2 * step));
    mean += slopes.back() * slopes.back() / 6;
    // The slots lie before and behind each layer, and are empty.
    const std::size_t before = i / 2 * 3 + i % 2;
    for (Slot& slot : copy.host().slots()) slot.set_observing(true);
    (void)copy.host().forward(batch.inputs);
    const Tensor in = copy.host().slot(before).output(),
                 out = copy.host().slot(before + 1).output();
    const Tensor products = (in * out).sum(2) / (in.norm(2, 2) * out.norm(2, 2));
    alike.push_back(products.mean().item<double>());
    for (Slot& slot : copy.host().slots()) {
      slot.set_observing(false);
      slot.forget();
    }
  }
  for (std::size_t i = 0; i < 6; ++i) {
    INFO(layer_names()[i]);
    CHECK(std::sqrt(report.layers[i].importance) ==
          Approx(std::abs(slopes[i]) / std::sqrt(mean)).epsilon(1e-2).margin(1e-2));
    CHECK(report.layers[i].similarity == Approx(alike[i]).epsilon(1e-5));
  }
  WHEN("a layer has left") {
    REQUIRE(training.remove({"block1.attention"}).refusal == SurgeryRefusal::none);
    ModelCopy other([] { return make_host(language_model, "lm-64", {}, 0.1); });
    other.take(*training.host, training.bed);
    CHECK(bits_equal(other.host().forward(batch.inputs).detach(), training.outputs(batch.inputs)));
    const auto without = measure(other, {batch}, cross_entropy, stop);
    REQUIRE(without.problem == "");
    CHECK(without.layers.size() == 5);
    CHECK(without.groups.size() == 5);
    CHECK(without.layers[2].layer == "block1.feed_forward");
    CHECK(coupling_fault(other.host(), bytes(8, 24), test_seed()).value_or("") == "");
  }
}

SCENARIO("importance ranks layers by what their loss costs", "[importance][layers]") {
  DataConfig config;
  config.path = default_data_path(language_model);
  if (!std::filesystem::exists(config.path)) return cannot_run_here("no data at " + config.path);
  at::set_num_threads(1);
  config.gate_samples = 64;
  config.test_samples = 64;
  constexpr std::uint64_t seed = 7;  // a figure is printed: of one run
  TextData data(config, 16, seed);
  torch::manual_seed(seed);
  const HostFactory factory = [] { return make_host(language_model, "lm-64", {}, 0); };
  const auto host = factory();
  torch::optim::AdamW optimizer(host->module().parameters(), torch::optim::AdamWOptions(3e-3));
  for (int step = 0; step < 250; ++step) {
    const auto batch = data.next();
    optimizer.zero_grad();
    cross_entropy(host->forward(batch.inputs), batch.targets).backward();
    optimizer.step();
  }
  ModelCopy copy(factory);
  SeedBed none(*host);
  copy.take(*host, none);
  const auto whole = data.gate(64);
  std::vector<Batch> batches;
  for (std::int64_t begin = 0; begin < 64; begin += 16)
    batches.push_back(
        {whole.inputs.slice(0, begin, begin + 16), whole.targets.slice(0, begin, begin + 16)});
  const std::atomic<bool> stop{false};
  const auto report = measure(copy, batches, cross_entropy, stop);
  REQUIRE(report.problem.empty());
  const torch::NoGradGuard no_graph;
  const auto loss = [&] {
    return cross_entropy(copy.host().forward(whole.inputs), whole.targets).item<double>();
  };
  const double all = loss();
  std::vector<double> rises;
  for (const LayerImportance& one : report.layers) {
    Snapshot snapshot;
    snapshot.take(tensors_of(copy.host().module()), {}, {});
    for (const Tensor& writer : writers(copy.host(), one.layer)) writer.zero_();
    rises.push_back(loss() - all);
    snapshot.restore();
    std::cout << one.layer << ": importance " << one.importance << ", similarity " << one.similarity
              << ", loss without it +" << rises.back() << "\n";
  }
  // Of the 15 pairs, how many does importance order as ablation does?
  int right = 0, alike = 0;
  for (std::size_t i = 0; i < rises.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const bool dearer = rises[i] > rises[j];
      right += (report.layers[i].importance > report.layers[j].importance) == dearer ? 1 : 0;
      alike += (report.layers[i].similarity < report.layers[j].similarity) == dearer ? 1 : 0;
    }
  std::cout << "pairs of layers in the right order, of 15: importance " << right << ", similarity "
            << alike << std::endl;
  CHECK(right > 15 / 2);
}
