// Whole runs leave a model that plain PyTorch takes over.
#include <algorithm>

#include "actors/decisions/host_catalogue.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/run_directory.hpp"
#include "runtime/training_run.hpp"
#include "tests/export/exported.hpp"
#include "tests/simulation/whole_run.hpp"

namespace esper {
namespace {

/// Has the trainer compute what the model must compute elsewhere, when it is told to write it.
class WitnessedTraining final : public Training {
 public:
  WitnessedTraining(std::unique_ptr<Training> inner, const RunConfig& config,
                    std::filesystem::path expected)
      : inner_(std::move(inner)), config_(config), expected_(std::move(expected)) {}
  const HostDescription& host() const override { return inner_->host(); }
  Executor* executor() override { return inner_->executor(); }
  std::optional<CheckpointPlace> resumed() const override { return inner_->resumed(); }
  Catalogue assess(const std::vector<Blueprint>& blueprints) override {
    return inner_->assess(blueprints);
  }
  TrainingEnd run(const std::atomic<bool>& stop,
                  const std::function<void(const TrainingProgress&)>& tell) override {
    return inner_->run(stop, tell);
  }
  std::string write_model(const std::string& file, const std::string& structure) override {
    auto& trainer = static_cast<Trainer&>(*inner_);
    // A seed on its way is not part of the model that leaves.
    std::vector<Slot*> unfinished;
    for (Slot& slot : trainer.model().slots())
      if (slot.mode() != SlotMode::dormant && slot.mode() != SlotMode::fossilised)
        unfinished.push_back(&slot);
    const TrialScope without(unfinished, {.alpha = 0});
    write_expected(trainer, config_, expected_);
    return inner_->write_model(file, structure);
  }
  [[nodiscard]] Training* inner() const { return inner_.get(); }

 private:
  std::unique_ptr<Training> inner_;
  const RunConfig& config_;
  std::filesystem::path expected_;
};

class WitnessedFactory final : public TrainingFactory {
 public:
  WitnessedFactory(TrainingFactory& inner, const RunConfig& config, std::filesystem::path expected)
      : inner_(inner), config_(config), expected_(std::move(expected)) {}
  std::unique_ptr<Training> make(const TrainingRequest& request) override {
    return std::make_unique<WitnessedTraining>(inner_.make(request), config_, expected_);
  }
  std::string torch_version() const override { return inner_.torch_version(); }
  std::vector<CheckpointFound> checkpoints(const std::string& folder) override {
    return inner_.checkpoints(folder);
  }
  void measure_latency(const std::vector<Training*>& trained,
                       std::vector<TrainedModel*> models) override {
    std::vector<Training*> real;
    for (Training* one : trained) real.push_back(dynamic_cast<WitnessedTraining&>(*one).inner());
    inner_.measure_latency(real, std::move(models));
  }

 private:
  TrainingFactory& inner_;
  const RunConfig& config_;
  std::filesystem::path expected_;
};

struct ExportedRun {
  RunReport report;
  nlohmann::json found;
};

ExportedRun export_run(const RunConfig& config) {
  const ScratchFolder folder;
  const auto library = load_gpu_library();
  REQUIRE(library.has_value());
  WitnessedFactory factory(*library.value(), config, folder / "expected.safetensors");
  auto directory = RunDirectory::create(config, folder / "run");
  REQUIRE(directory.has_value());
  const std::atomic<bool> stop{false};
  ProgressLine progress;
  ExportedRun run;
  run.report = train_and_report(config, factory, directory.value(), stop, progress);
  INFO(run.report.error);
  CHECK(run.report.exit == 0);
  REQUIRE(run.report.model);
  run.found = checked_in_python(folder / "run", folder / "expected.safetensors");
  CHECK(run.found.at("seeds").size() == run.report.model->seeds.size());
  if (run.report.model->left_out.empty())
    CHECK(run.found.at("parameters") == run.report.arms.back().parameters);
  return run;
}

}  // namespace

SCENARIO("a run's grown model trains on in plain PyTorch", "[export]") {
  if (!can_train() || !python_can_load()) return;
  WHEN("seeds fossilise in an image host") {
    const auto run = export_run(small_config({"compaction.enabled=false"}));
    CHECK_FALSE(run.report.model->seeds.empty());
  }
  WHEN("the host is cut while it trains") {
    const auto run = export_run(small_config(
        {"time.checkpoint_cycles=1", "training.decay_share=0", "compaction.importance_lost_max=1",
         "compaction.accuracy_drop_max=1", "compaction.recovery_loss_max=10",
         "budget.mint_per_region=200", "blueprints.use=[\"normalisation_scaffold\"]"}));
    CHECK(run.report.uncut);
    CHECK(run.found.at("widths") != nlohmann::json(default_widths("fashion_cnn", "tiny")));
  }
  WHEN("a whole layer of a language model leaves while it trains") {
    const auto run = export_run(
        shipped_config("dictionary.json",
                       {"training.steps_max=240", "baselines.host=false", "baselines.widened=false",
                        "baselines.uncut=false", "data.test_samples=128", "training.decay_share=0",
                        "time.checkpoint_cycles=1", "compaction.enabled=true",
                        "compaction.layer_similarity_min=-1", "compaction.layer_importance_max=1",
                        "compaction.accuracy_drop_max=1", "compaction.recovery_loss_max=10",
                        "blueprints.use=[\"low_rank_adapter_scaffold\"]"}));
    CHECK(run.report.uncut);
    std::size_t left = 0;
    for (const auto& one : run.report.account.surgeries)
      left += one.result == "kept" && one.cuts.ends_with(" -> none") ? 1 : 0;
    CHECK(left > 0);
    const auto widths = run.found.at("widths").get<std::vector<std::uint32_t>>();
    CHECK(static_cast<std::size_t>(std::count(widths.begin(), widths.end(), 0U)) == left);
    CHECK(run.report.account.layers.size() >= 6);
  }
  WHEN("seeds fossilise in a language model") {
    const auto run = export_run(
        shipped_config("dictionary.json",
                       {"training.steps_max=240", "baselines.host=false", "baselines.widened=false",
                        "baselines.uncut=false", "data.test_samples=128"}));
    CHECK_FALSE(run.report.model->seeds.empty());
  }
}

}  // namespace esper
