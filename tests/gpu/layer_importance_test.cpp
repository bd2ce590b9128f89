// What whole residual layers are worth, as measured and as their loss shows.
#include <filesystem>
#include <iostream>

#include "actors/decisions/host_catalogue.hpp"
#include "gpu/coupling_probe.hpp"
#include "gpu/importance.hpp"
#include "gpu/text_data.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/layer_training.hpp"

using namespace esper;
using torch::Tensor;

SCENARIO("a layer's importance is the squared slope of the loss along its branch's gate",
         "[importance][layers]") {
  LayerTraining training;
  training.steps(30);
  ModelCopy copy([] { return make_host(language_model, "lm-64", {}, 0.1); });
  copy.take(*training.host, training.bed);
  const Tensor read = random_bytes(4, 65);
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
    CHECK(coupling_fault(other.host(), random_bytes(8, 24), test_seed()).value_or("") == "");
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
