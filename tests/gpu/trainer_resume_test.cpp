// Our own trainer goes on from its checkpoints, through the factory that the runtime loads.
#include <fstream>
#include <thread>

#include "gpu/checkpoint_file.hpp"
#include "messages/json.hpp"
#include "tests/cannot_run.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/runtime/scratch_folder.hpp"

extern "C" esper::TrainingFactory* esper_gpu();

using namespace esper;
namespace fs = std::filesystem;

namespace {

RunConfig small_run() {
  RunConfig config;
  config.seed = 3;
  config.data.training_samples = 320;  // ten batches an epoch: the epochs' ends are on the way, too
  config.data.gate_samples = 128;
  config.data.test_samples = 100;
  config.training.batch = 32;
  config.training.epochs = 10;
  config.training.steps_max = 48;
  config.training.disturbances = {{DisturbanceKind::label_noise, "", 20, 12, 0.5},
                                  {DisturbanceKind::weight_damage, "middle", 26, 0, 0.5},
                                  {DisturbanceKind::learning_rate_spike, "", 28, 2, 3}};
  config.time.window_steps = 6;
  config.time.cycle_windows = 1;
  config.time.checkpoint_cycles = 1;
  config.time.gate_samples = 64;
  config.time.verdict_samples = 64;
  config.checkpoints.keep = 100;
  return config;
}

bool data_is_here() {
  if (fs::exists(DataConfig{}.path)) return true;
  cannot_run_here("no data at " + DataConfig{}.path);
  return false;
}

AdaptationCommand command(std::uint64_t sequence, CommandKind kind) {
  AdaptationCommand made;
  made.id = {{0}, {1}, sequence};
  made.kind = kind;
  made.slot = {0};
  made.seed = {1};
  made.blueprint = "depthwise_separable";
  made.authority_until = {1'000};
  made.mitigations = {.alpha_stages = {0.5, 1}};
  return made;
}

struct Run {
  TrainingEnd end;
  std::optional<CheckpointPlace> resumed;
  std::map<std::uint64_t, std::string> told;  ///< reports' logical part, by window
};

/// A control side in lockstep that answers each window by the script, once its checkpoint is on
/// disk: none is overtaken by the next one.
Run run(const RunConfig& config, const fs::path& folder, const std::string& from = "") {
  const auto training = esper_gpu()->make({config, "grown", {}, {}, folder.string(), from});
  Run run;
  run.resumed = training->resumed();
  Executor& executor = *training->executor();
  std::atomic<bool> ended{false};
  std::thread control([&] {
    WindowReport report;
    while (true) {
      if (!executor.next_window(report, std::chrono::milliseconds(20))) {
        if (ended) return;
        continue;
      }
      const std::uint64_t window = report.window.value;
      const std::string digits = std::to_string(100'000'000 + window).substr(1);
      const std::string name = "checkpoint-" + digits + ".safetensors";
      for (int wait = 0; wait < 10'000 && (!run.resumed || run.resumed->window < report.window) &&
                         !fs::exists(folder / name);
           ++wait)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      report.device = {};
      run.told[window] = canonical(report);
      TurnRelease turn;
      turn.turn = report.window;
      turn.journal_sequence = 100 + window;
      turn.journal_head = "head";
      if (window == 1) turn.commands = {command(1, CommandKind::germinate)};
      if (window == 3) turn.commands = {command(2, CommandKind::graft)};
      // Back to step 24: what befell steps 26 and 28 befalls them again.
      if (window == 5) turn.commands = {command(3, CommandKind::roll_back)};
      (void)executor.release(turn);
      executor.finish_window(report.window);
    }
  });
  const std::atomic<bool> stop{false};
  try {
    run.end = training->run(stop, {});
  } catch (...) {
    ended = true;
    control.join();
    throw;
  }
  ended = true;
  executor.wake();
  control.join();
  return run;
}

std::string refusal(const RunConfig& config, const std::string& from) {
  try {
    (void)esper_gpu()->make({config, "grown", {}, {}, "", from});
  } catch (const std::runtime_error& problem) {
    return problem.what();
  }
  return "";
}

}  // namespace

SCENARIO("our trainer goes on from any of its checkpoints to the same end", "[resume][trainer]") {
  if (!data_is_here()) return;
  const auto config = small_run();
  const ScratchFolder folder;
  const auto whole = run(config, folder.path() / "whole");
  CHECK_FALSE(whole.resumed);
  CHECK(whole.end.last_window.value >= 9);
  CHECK(whole.told.at(6).find("restored step 24") != std::string::npos);
  const auto found = esper_gpu()->checkpoints((folder.path() / "whole").string());
  REQUIRE(found.size() >= 9);
  for (const auto& one : found) {
    INFO(one.file);
    CHECK(one.problem == "");
    const std::uint64_t window = one.place.value().window.value;
    if (window == whole.end.last_window.value) continue;  // nobody answers it
    const auto again = run(config, folder.path() / ("from" + std::to_string(window)), one.file);
    REQUIRE(again.resumed);
    CHECK(again.resumed->window == Window{window});
    CHECK(again.resumed->journal_sequence == (window > 1 ? 99 + window : 0));
    CHECK(again.end.model.weights_hash == whole.end.model.weights_hash);
    CHECK(again.end.model.gate_loss == whole.end.model.gate_loss);
    CHECK(again.end.model.test_loss == whole.end.model.test_loss);
    CHECK(again.end.model.steps == whole.end.model.steps);
    CHECK(canonical(again.end.model.training_operations) ==
          canonical(whole.end.model.training_operations));
    CHECK(again.end.last_window == whole.end.last_window);
    for (const auto& [closed, report] : again.told) {
      INFO("window " << closed);
      CHECK(report == whole.told.at(closed));
    }
  }
}

SCENARIO("a checkpoint of another run, or damaged, is refused in one sentence",
         "[resume][trainer]") {
  if (!data_is_here()) return;
  auto config = small_run();
  config.training.steps_max = 12;
  const ScratchFolder folder;
  (void)run(config, folder.path());
  const std::string file = checkpoint_files(folder.path()).front().string();
  CHECK(refusal(config, file) == "");
  const auto refused_with = [&](const RunConfig& other, const std::string& words) {
    const auto sentence = refusal(other, file);
    INFO(sentence);
    CHECK(sentence.starts_with(file + " "));
    CHECK(sentence.find(words) != std::string::npos);
  };
  auto other = config;
  other.seed = 4;
  refused_with(other, "was written with seed 3, here it is 4");
  other = config;
  other.training.threads = config.training.threads + 1;
  refused_with(other, "was written with training.threads");
  other = config;
  other.training.learning_rate *= 2;
  refused_with(other, "another config");
  other = config;
  other.model.size = "melt";
  other.training.disturbances.clear();
  refused_with(other, "another host");
  other = config;
  other.mode = Mode::off;  // which may differ, and nothing else
  CHECK(refusal(other, file) == "");
  other.training.learning_rate *= 2;
  refused_with(other, "another config");
  const auto whole = file_text(file);
  const auto damaged = [&](const std::string& bytes, const std::string& words) {
    write_text(file, bytes);
    refused_with(config, words);
    const auto found = esper_gpu()->checkpoints(folder.path().string());
    CHECK_FALSE(found.at(0).place);
    CHECK(found.at(0).problem.starts_with(file + " "));
    CHECK(found.at(1).place);
  };
  damaged(whole.substr(0, whole.size() / 2), "is damaged");
  damaged(whole.substr(0, 5), "is cut off");
  auto flipped = whole;
  flipped[whole.size() - 100] = static_cast<char>(flipped[whole.size() - 100] ^ 1);
  damaged(flipped, "is damaged: its SHA-256 is another one");
  auto foreign = whole;
  const auto magic = foreign.find("esper checkpoint");
  REQUIRE(magic != std::string::npos);
  foreign.replace(magic, 5, "other");
  damaged(foreign, "is no checkpoint of ours");
  fs::remove(file);
  refused_with(config, "cannot be opened");
}
