// One region, one seed: a model and a loop of your own, with the actors beside them. The loop calls
// the session three times a step; everything else happens by itself.
//
// grow_seed [STEPS]
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <ATen/Parallel.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include "actors/control_plane.hpp"
#include "gpu/risk_assay.hpp"
#include "gpu/session.hpp"
#include "messages/json.hpp"
#include "runtime/journal.hpp"
#include "runtime/launch.hpp"
#include "runtime/telemetry_export.hpp"

using namespace esper;

namespace {

constexpr std::int64_t channels = 4, side = 12, classes = 4;

/// A convolution that is too narrow for its task, with one slot behind it.
class NarrowHost final : public HostModel {
 public:
  NarrowHost() : HostModel(described()) {
    layer_ = root_->register_module(
        "layer",
        torch::nn::Conv2d(torch::nn::Conv2dOptions(1, channels, 3).padding(1).bias(false)));
    norm_ = root_->register_module("norm", torch::nn::BatchNorm2d(channels));
    head_ = root_->register_module("head", torch::nn::Linear(channels, classes));
  }
  torch::nn::Module& module() override { return *root_; }
  torch::Tensor forward(torch::Tensor images) override {
    return head_(slot(0)(torch::relu(norm_(layer_(images)))).mean({2, 3}));
  }

 private:
  static HostDescription described() {
    constexpr std::uint64_t head = channels * classes, layer = 9 * channels * side * side;
    HostDescription host;
    host.name = "narrow";
    host.regions = {
        {"only", {"layer.", "norm.", "head."}, 11 * channels + head + classes, layer + head}};
    host.slots = {{"only.a", {0}, SlotKind::point, "", channels, side, side, head, "norm"}};
    host.parameters = host.regions[0].parameters;
    host.operations = host.regions[0].operations;
    return host;
  }
  std::shared_ptr<torch::nn::Module> root_ = std::make_shared<torch::nn::Module>("narrow");
  torch::nn::Conv2d layer_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  torch::nn::Linear head_{nullptr};
};

/// Stripes of four directions under noise.
Batch stripes(std::int64_t samples) {
  const auto labels = torch::randint(0, classes, {samples}, at::kLong);
  const auto angle = (labels * (M_PI / classes)).view({samples, 1, 1, 1});
  const auto rows = torch::arange(side).view({1, 1, side, 1});
  const auto columns = torch::arange(side).view({1, 1, 1, side});
  const auto phase = torch::rand({samples, 1, 1, 1}) * (2 * M_PI);
  const auto waves = torch::sin((rows * angle.sin() + columns * angle.cos()) * 1.5 + phase);
  return {waves + torch::randn({samples, 1, side, side}), labels};
}

RunConfig example_config() {
  RunConfig config;
  config.name = "grow_seed";
  config.time.window_steps = 10;
  config.time.cycle_windows = 4;
  config.gates.calm_windows = config.gates.shadow_passes_needed = 1;
  config.gates.updates_min = 30;
  config.gates.alpha_stages = {0.5};
  config.gates.jitter_max = config.gates.drift_max = 0.3;
  config.gates.ramp_hold_ratio = 1.2;
  config.gates.ramp_rollback_ratio = 1.4;
  config.limits.overhead_ratio_max = 3;
  return config;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const int steps = argument_count > 1 ? std::atoi(arguments[1]) : 300;
  const RunConfig config = example_config();
  at::set_num_threads(static_cast<int>(config.training.threads));
  torch::manual_seed(config.seed);
  NarrowHost host;
  torch::optim::AdamW optimizer(host.module().parameters(), torch::optim::AdamWOptions(3e-3));
  const Batch held_back = stripes(2'000);
  Batch batch;

  // What the session asks of the loop.
  SessionData data;
  data.step_batch = [&] { return batch; };
  data.gate_batch = [&](std::uint32_t samples) {
    return Batch{held_back.inputs.slice(0, 0, samples), held_back.targets.slice(0, 0, samples)};
  };
  data.loss = [](const at::Tensor& logits, const at::Tensor& labels) {
    return at::cross_entropy_loss(logits, labels);
  };
  data.learning_rate_ratio = [] { return 1.0; };
  data.batch_samples = 64;
  const auto blueprints = chosen_blueprints(config.blueprints, host.description());
  TurnExchange exchange(1);
  Session session(host, optimizer, session_settings(config, blueprints), data, exchange);

  // The journal, opened with each blueprint's measured risk, and the actors that decide from it.
  const auto folder = std::filesystem::temp_directory_path() / "esper_grow_seed";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto journal = Journal::create(folder / "journal.db");
  if (!journal) throw std::runtime_error(journal.refusal().sentence);
  Catalogue catalogue{.blueprints = blueprints, .sheets = {}};
  for (const auto& blueprint : blueprints)
    catalogue.sheets.push_back(assay(blueprint, {0}, host.description().slots[0],
                                     host.description().parameters, config.seed));
  write_opening(*journal.value(), config, host.description(), catalogue);
  RegistryMetrics metrics;
  JsonLog log(folder / "esper.log");
  ControlPlane actors(config, host.description(),
                      {exchange, *journal.value(), metrics, log, /*filter=*/{}});

  for (int step = 0; step < steps; ++step) {
    batch = stripes(data.batch_samples);
    session.start_step();
    optimizer.zero_grad();
    const auto loss = at::cross_entropy_loss(host.forward(batch.inputs), batch.targets);
    loss.backward();
    if (session.after_backward(loss).proceed()) optimizer.step();
    session.end_step();
  }
  const bool decided = actors.finish(session.last_window(), std::chrono::seconds{10});
  actors.stop();

  for (const auto& entry : journal.value()->read_all())
    if (entry.kind == GateVerdict::schema.name) {
      const auto verdict = parsed<GateVerdict>(entry.payload);
      std::cout << "window " << entry.window.value << "  " << verdict.blueprint << "  "
                << verdict.gate << (verdict.passed ? " passed  " : " failed  ") << verdict.measured
                << " against " << verdict.threshold << "  " << verdict.reason << '\n';
    }
  const auto before = host.description().parameters;
  std::cout << "parameters " << before << ", with what stays "
            << before + session.bed().parameters() << "; the journal is "
            << (folder / "journal.db").string() << '\n';
  return decided ? 0 : 1;
}
