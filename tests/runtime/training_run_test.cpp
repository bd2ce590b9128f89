#include "runtime/training_run.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/journal.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

/// What the stand-in trainer is to do.
struct Script {
  std::string fails_in;  ///< the arm whose run throws
  bool breaks_promise{};
  bool disk_full{};            ///< the model cannot be written
  std::atomic<bool>* stops{};  ///< set while the grown arm trains
};

/// A trainer without tensors, in mode off: no executor, so no actors either.
class ScriptedTraining final : public Training {
 public:
  ScriptedTraining(TrainingRequest request, const Script& script)
      : request_(std::move(request)), script_(script) {
    host_.regions.resize(1);
  }
  const HostDescription& host() const override { return host_; }
  Executor* executor() override { return nullptr; }
  Catalogue assess(const std::vector<Blueprint>&) override { return {}; }
  TrainingEnd run(const std::atomic<bool>& stop,
                  const std::function<void(const TrainingProgress&)>& tell) override {
    if (script_.breaks_promise) throw InvariantViolation("ISO-1");
    if (script_.fails_in == request_.arm) throw std::runtime_error("the data is gone");
    if (script_.stops != nullptr) *script_.stops = true;
    tell({{5}, {5}, 0.5});
    TrainingEnd end;
    end.model.arm = request_.arm;
    end.model.steps = 5;
    end.model.parameters = 100;
    end.model.weights_hash = "weights of " + request_.arm;
    end.interrupted = stop;
    return end;
  }
  std::string write_model(const std::string& file, const std::string& structure) override {
    if (script_.disk_full) return "cannot write " + file;
    write_text(file, structure);
    return {};
  }

 private:
  TrainingRequest request_;
  const Script& script_;
  HostDescription host_;
};

class ScriptedFactory final : public TrainingFactory {
 public:
  std::unique_ptr<Training> make(const TrainingRequest& request) override {
    asked.push_back(request);
    return std::make_unique<ScriptedTraining>(request, script);
  }
  std::string torch_version() const override { return "none"; }
  void measure_latency(const std::vector<Training*>&, std::vector<TrainedModel*> models) override {
    for (auto* model : models) model->latency_batch_seconds = 1;
  }
  Script script;
  std::vector<TrainingRequest> asked;
};

struct Setup {
  Setup() {
    config.name = "test";
    config.mode = Mode::off;
    auto made = RunDirectory::create(config, folder / "run");
    REQUIRE(made.has_value());
    directory = std::make_unique<RunDirectory>(std::move(made.value()));
  }
  RunReport execute() { return train_and_report(config, factory, *directory, stop, progress); }
  [[nodiscard]] nlohmann::json written() const {
    return nlohmann::json::parse(file_text(directory->report()));
  }
  ScratchFolder folder;
  RunConfig config;
  std::unique_ptr<RunDirectory> directory;
  ScriptedFactory factory;
  std::atomic<bool> stop{false};
  ProgressLine progress;
};

}  // namespace

SCENARIO("a run leaves a sealed directory however it ends", "[training_run]") {
  Setup setup;
  int expected = 0;
  std::string error;
  SECTION("well") {}
  SECTION("stopped") {
    setup.factory.script.stops = &setup.stop;
    expected = 130;
  }
  SECTION("by a fault") {
    setup.factory.script.fails_in = "grown";
    expected = 1;
    error = "the data is gone";
  }
  SECTION("by a broken promise") {
    setup.factory.script.breaks_promise = true;
    expected = 5;
    error = "ISO-1";
  }
  const auto report = setup.execute();
  CHECK(report.exit == expected);
  CHECK(report.error == error);
  CHECK(report.reproducible == (expected == 0));
  CHECK(report.first_irreproducible.empty() == (expected == 0));
  REQUIRE(report.seal);
  CHECK(setup.written().at("exit") == expected);
  CHECK(setup.written().at("error") == error);
  CHECK(Journal::verify(setup.directory->journal()).ends_at(report.seal->head_hash));
  CHECK(std::filesystem::exists(setup.directory->log()));
  CHECK(file_text(setup.directory->page()).find("<title>test, seed 1") != std::string::npos);
}

SCENARIO("the grown model lies in the run's directory", "[training_run]") {
  Setup setup;
  GIVEN("a disk that takes it") {
    const auto report = setup.execute();
    CHECK(report.exit == 0);
    CHECK(setup.written().at("model").at("state") == "model.safetensors");
    CHECK(setup.written().at("model").at("module") == "model.py");
    const auto structure =
        nlohmann::json::parse(file_text(setup.directory->path() / "model.safetensors"));
    CHECK(structure.at("host") == "fashion_cnn");
    CHECK(structure.at("weights_hash") == "weights of grown");
    CHECK(file_text(setup.directory->path() / "model.py").find("class FashionCnn(nn.Module):") !=
          std::string::npos);
  }
  GIVEN("a disk that does not") {
    setup.factory.script.disk_full = true;
    const auto report = setup.execute();
    CHECK(report.exit == 1);
    CHECK(report.error.starts_with("cannot write"));
    CHECK_FALSE(report.model);
    CHECK_FALSE(std::filesystem::exists(setup.directory->path() / "model.py"));
  }
}

SCENARIO("mode off trains the host once", "[training_run]") {
  Setup setup;
  const auto report = setup.execute();
  CHECK(setup.factory.asked.size() == 1);
  REQUIRE(report.arms.size() == 1);
  CHECK(report.arms[0].latency_batch_seconds == 1);
  CHECK(report.weights_hash == "weights of grown");
  CHECK(report.reproducible);
  CHECK(file_text(setup.directory->metrics()).find("esper_step") != std::string::npos);
}

SCENARIO("baselines train the grown arm's steps, without controllers", "[training_run]") {
  Setup setup;
  setup.config.mode = Mode::act;  // the stand-in has no executor all the same
  const auto report = setup.execute();
  REQUIRE(setup.factory.asked.size() == 3);
  CHECK(setup.factory.asked[1].arm == "host");
  CHECK(setup.factory.asked[1].config.mode == Mode::off);
  CHECK(setup.factory.asked[1].config.training.steps_max == 5);
  CHECK(setup.factory.asked[1].config.seed == setup.config.seed);
  CHECK(setup.factory.asked[1].widths.empty());
  CHECK(setup.factory.asked[2].arm == "widened");
  CHECK_FALSE(setup.factory.asked[2].widths.empty());
  REQUIRE(report.arms.size() == 3);
  CHECK(report.arms.back().arm == "grown");
  CHECK(report.gain.size() == 2);
}

SCENARIO("what is compacted is compared with the same system that cuts nothing", "[training_run]") {
  Setup setup;
  setup.config.mode = Mode::act;
  setup.config.baselines.uncut = true;
  const auto folder = setup.directory->path() / "grown_uncut";
  std::filesystem::create_directories(folder);  // a process that was killed left it
  write_text(folder / "report.json", "{}");
  const auto report = setup.execute();
  REQUIRE(setup.factory.asked.size() == 4);
  CHECK(setup.factory.asked[0].config.compaction.enabled);
  CHECK_FALSE(setup.factory.asked[1].config.compaction.enabled);
  CHECK(setup.factory.asked[1].config.mode == Mode::act);
  CHECK(setup.factory.asked[1].config.training.steps_max == 5);
  REQUIRE(report.arms.size() == 4);
  CHECK(report.arms[0].arm == "grown_uncut");
  CHECK(report.arms[1].arm == "host");
  CHECK(report.arms.back().arm == "grown");
  CHECK(Journal::verify(folder / "journal.db").holds());
  CHECK(std::filesystem::exists(folder / "model.py"));
  CHECK_FALSE(std::filesystem::exists(folder / "report.json"));
}

SCENARIO("a baseline that fails keeps what the grown arm came to", "[training_run]") {
  Setup setup;
  setup.config.mode = Mode::observe;
  setup.factory.script.fails_in = "host";
  const auto report = setup.execute();
  CHECK(report.exit == 1);
  REQUIRE(report.arms.size() == 1);
  CHECK(report.arms[0].arm == "grown");
}

}  // namespace esper
