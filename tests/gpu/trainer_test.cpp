// Our own loop on real data, through the factory that the runtime loads.
#include "tests/gpu/catch.hpp"

#include <rapidcheck.h>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <ATen/Parallel.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/random.hpp"
#include "gpu/schedule.hpp"
#include "gpu/window_statistics.hpp"
#include "messages/interfaces.hpp"
#include "tests/cannot_run.hpp"

extern "C" esper::TrainingFactory* esper_gpu();

using namespace esper;

namespace {

RunConfig tiny_run() {
  RunConfig config;
  config.name = "trainer test";
  config.seed = 3;
  config.pace.mode = Pace::free;
  config.data.training_samples = 800;
  config.data.gate_samples = 256;
  config.data.test_samples = 300;
  config.training.batch = 32;
  config.training.steps_max = 24;
  config.time.window_steps = 6;
  config.time.gate_samples = 64;
  config.time.verdict_samples = 64;
  return config;
}

TrainingEnd trained(const RunConfig& config, const char* arm,
                    std::vector<std::uint32_t> widths = {}) {
  const std::atomic<bool> stop{false};
  return esper_gpu()->make({config, arm, std::move(widths)})->run(stop, {});
}

/// Words in any order: a text that is soon learnt a little. Gone at the end of the block.
class TextOfWords {
 public:
  TextOfWords() : path_(std::filesystem::temp_directory_path() / "esper-trainer-text") {
    RandomStream stream(5, "words");
    const std::vector<std::string> words{"the ",  "of ",   "stone", "s ",
                                         "water", " and ", "in",    "to "};
    std::ofstream file(path_, std::ios::binary);
    for (std::size_t written = 0; written < 50 * 65'536;) {
      const auto& word = words[stream.below(words.size())];
      file << word;
      written += word.size();
    }
  }
  ~TextOfWords() { std::filesystem::remove(path_); }
  TextOfWords(const TextOfWords&) = delete;
  TextOfWords& operator=(const TextOfWords&) = delete;

  [[nodiscard]] RunConfig run() const {
    RunConfig config = tiny_run();
    config.model = {.host = "byte_transformer", .size = "lm-64", .regions = {}};
    config.data.path = path_;
    config.data.training_samples = 400;
    config.data.gate_samples = config.data.test_samples = 32;
    config.time.gate_samples = config.time.verdict_samples = 16;
    config.training.batch = 8;
    return config;
  }

 private:
  std::filesystem::path path_;
};

bool data_is_here() {
  if (std::filesystem::exists(DataConfig{}.path)) return true;
  cannot_run_here("no data at " + DataConfig{}.path);
  return false;
}

}  // namespace

SCENARIO("one integer decides a whole run, and watching changes no bit of it", "[trainer]") {
  if (!data_is_here()) return;
  const auto config = tiny_run();
  const auto host = trained(config, "host");
  CHECK(host.model.arm == "host");
  CHECK(host.model.parameters == 12'082);
  CHECK(host.model.steps == 24);
  CHECK(host.model.weights_hash.size() == 64);
  CHECK(host.model.training_operations.training == 3 * 24 * 32 * host.model.operations);
  CHECK(host.model.test_accuracy > 0.1);
  CHECK(host.model.gate_loss < 2.4);
  CHECK_FALSE(host.interrupted);
  REQUIRE(host.window_losses.size() == 4);  // 24 steps, 6 to a window
  CHECK(host.window_losses.back() < host.window_losses.front());
  THEN("the same again is the same") {
    CHECK(trained(config, "host").model.weights_hash == host.model.weights_hash);
  }
  THEN("another seed is another run") {
    auto other = config;
    other.seed = 4;
    CHECK(trained(other, "host").model.weights_hash != host.model.weights_hash);
  }
  THEN("observing, and acting without a command, ends in the same bits") {
    auto watched = config;
    watched.mode = Mode::observe;
    const auto end = trained(watched, "grown");
    CHECK(end.model.weights_hash == host.model.weights_hash);
    CHECK(end.model.training_operations.training == host.model.training_operations.training);
    CHECK(end.last_window == Window{4});
    CHECK(end.window_losses == host.window_losses);
    watched.mode = Mode::act;
    CHECK(trained(watched, "grown").model.weights_hash == host.model.weights_hash);
  }
  THEN("widths make another host") {
    CHECK(trained(config, "widened", {8, 16, 24, 40}).model.parameters > 12'082);
  }
}

SCENARIO("a language model is trained, watched and assessed like any other host",
         "[trainer][byte_transformer]") {
  const TextOfWords text;
  auto config = text.run();
  const auto host = trained(config, "host");
  CHECK(host.model.parameters == 173'888);
  CHECK(host.model.steps == 24);
  CHECK(host.model.training_operations.training == 3 * 24 * 8 * host.model.operations);
  CHECK(host.model.test_loss < 3.5);  // 5.5 before any training
  CHECK(host.model.test_accuracy > 0.05);
  CHECK(host.model.test_bits_per_byte == Approx(host.model.test_loss / std::log(2.0)));
  CHECK(trained(config, "host").model.weights_hash == host.model.weights_hash);
  THEN("watching changes no bit of it, nor does assessing") {
    for (const Mode mode : {Mode::observe, Mode::act}) {
      config.mode = mode;
      const std::atomic<bool> stop{false};
      const auto training = esper_gpu()->make({config, "grown", {}});
      const auto catalogue = training->assess(built_in_blueprints());
      CHECK(catalogue.sheets.size() == 6 * 9);
      const auto end = training->run(stop, {});
      CHECK(end.model.weights_hash == host.model.weights_hash);
      CHECK(end.widths == std::vector<std::uint32_t>{4, 256, 4, 256, 4, 256});
    }
  }
  THEN("a planted design is part of it, and other widths make another host") {
    const std::atomic<bool> stop{false};
    const auto end =
        esper_gpu()
            ->make({config, "scratch", {2, 128, 4, 64, 1, 256}, {{"causal_depthwise", {3}, 1, 0}}})
            ->run(stop, {});
    CHECK(end.model.parameters == 384 + 173'888 - 2 * 4'096 - 128 * 129 - 192 * 129 - 3 * 4'096);
    CHECK(end.model.test_loss < 3.5);
  }
  THEN("a label that is drawn anew is any byte") {
    config.training.disturbances = {{DisturbanceKind::label_noise, "", 10, 3, 0.5}};
    const auto noisy = trained(config, "host");
    CHECK(noisy.model.weights_hash != host.model.weights_hash);
    CHECK(trained(config, "grown").model.weights_hash == noisy.model.weights_hash);
  }
}

SCENARIO("a disturbance befalls every arm alike, and the same again", "[trainer][disturbance]") {
  if (!data_is_here()) return;
  auto config = tiny_run();
  const auto calm = trained(config, "host").model.weights_hash;
  const auto disturbance =
      GENERATE(DisturbanceConfig{DisturbanceKind::initial_gain, "middle", 0, 0, 0.5},
               DisturbanceConfig{DisturbanceKind::learning_rate_spike, "", 10, 3, 5},
               DisturbanceConfig{DisturbanceKind::label_noise, "", 10, 3, 0.5},
               DisturbanceConfig{DisturbanceKind::weight_damage, "middle", 10, 0, 0.5});
  INFO(name_of(disturbance.kind));
  config.training.disturbances = {disturbance};
  const auto host = trained(config, "host").model.weights_hash;
  CHECK(host != calm);
  CHECK(trained(config, "host").model.weights_hash == host);
  CHECK(trained(config, "grown").model.weights_hash == host);
}

SCENARIO("a run's thread count is its config's", "[trainer]") {
  if (!data_is_here()) return;
  auto config = tiny_run();
  config.training.threads = GENERATE(1U, 2U);
  const std::atomic<bool> stop{false};
  std::size_t told = 0;
  (void)esper_gpu()->make({config, "grown", {}})->run(stop, [&](const TrainingProgress&) {
    ++told;
    CHECK(at::get_num_threads() == static_cast<int>(config.training.threads));
  });
  CHECK(told > 0);
  at::set_num_threads(1);
}

SCENARIO("a stop ends the run after the step under way", "[trainer]") {
  if (!data_is_here()) return;
  std::atomic<bool> stop{false};
  const auto training = esper_gpu()->make({tiny_run(), "grown", {}});
  const auto end = training->run(stop, [&](const TrainingProgress& progress) {
    if (progress.step.value >= 10) stop = true;
  });
  CHECK(end.interrupted);
  CHECK(end.model.steps == 10);
}

SCENARIO("assessing measures every design in every slot and leaves training alone", "[trainer]") {
  if (!data_is_here()) return;
  const auto config = tiny_run();
  const std::atomic<bool> stop{false};
  const auto training = esper_gpu()->make({config, "grown", {}});
  const auto designs = built_in_blueprints();
  const auto catalogue = training->assess(designs);
  const auto of_images = std::count_if(designs.begin(), designs.end(), [](const Blueprint& design) {
    return layout_of(design.kind) == Layout::image;
  });
  CHECK(of_images == 8);
  CHECK(catalogue.sheets.size() ==
        static_cast<std::size_t>(of_images) * training->host().slots.size());
  const auto again = esper_gpu()->make({config, "grown", {}})->assess(designs);
  REQUIRE(again.sheets.size() == catalogue.sheets.size());
  for (std::size_t i = 0; i < again.sheets.size(); ++i)
    CHECK(again.sheets[i].risk == catalogue.sheets[i].risk);
  auto end = training->run(stop, {});
  CHECK(end.model.weights_hash == trained(config, "host").model.weights_hash);
  esper_gpu()->measure_latency({training.get()}, {&end.model});
  CHECK(end.model.latency_batch_seconds > 0);
  CHECK(end.model.latency_single_seconds > 0);
}

SCENARIO("missing data and an unknown host are told in one sentence", "[trainer]") {
  auto config = tiny_run();
  config.data.path = "/nowhere/at/all";
  CHECK_THROWS_AS(esper_gpu()->make({config, "host", {}}), std::runtime_error);
  if (!data_is_here()) return;
  config = tiny_run();
  config.model.host = "nobody";
  CHECK_THROWS_AS(esper_gpu()->make({config, "host", {}}), std::runtime_error);
}

SCENARIO("the schedule warms up, stays and decays", "[trainer]") {
  const bool holds = rc::check("ratio in (0, 1], peak in the middle", [] {
    const auto steps = *rc::gen::inRange<std::uint64_t>(1, 5'000);
    TrainingConfig config;
    config.warmup_share = *rc::gen::inRange(0, 40) / 100.0;
    config.decay_share = *rc::gen::inRange(0, 60) / 100.0;
    double before = 0;
    bool falling = false;
    for (std::uint64_t step = 0; step < steps; ++step) {
      const double ratio = learning_rate_ratio(config, step, steps);
      RC_ASSERT(ratio > 0);
      RC_ASSERT(ratio <= 1);
      if (step > 0 && ratio < before) falling = true;
      if (falling) RC_ASSERT(ratio <= before);
      before = ratio;
    }
    RC_ASSERT(learning_rate_ratio(config, steps * 2 / 5, steps) >= (steps > 50 ? 0.9 : 0.0));
  });
  CHECK(holds);
}

SCENARIO("a window's statistics are what they are called", "[trainer]") {
  std::vector<double> line;
  for (int i = 0; i < 25; ++i) line.push_back(3 - 0.1 * i);
  CHECK(detrended_sigma(line) < 1e-12);
  CHECK(mean_of(line) == Approx(1.8));
  for (int i = 0; i < 25; ++i) line[static_cast<std::size_t>(i)] += i % 2 == 0 ? 0.5 : -0.5;
  CHECK(detrended_sigma(line) == Approx(0.5).epsilon(0.01));
  std::vector<double> values{5, 1, 4, 2, 3};
  CHECK(quantile(values, 0.5) == 3);
  CHECK(quantile(values, 0.95) == 5);
  CHECK(quantile(values, 0) == 1);
  CHECK(relative_rise(1.1, 1) == Approx(0.1));
  CHECK(relative_rise(1.1, 0) == 0);
}
