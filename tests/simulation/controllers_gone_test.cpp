// TRAIN-1: with every controller dead, or hung, training goes on to its last step, and trains what
// the bare loop would train from the boundary at which the last seed left the path.
#include <condition_variable>
#include <thread>

#include "actors/chaos_desk.hpp"
#include "actors/control_plane.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/role_tree.hpp"
#include "tests/long_tier.hpp"
#include "tests/simulation/whole_run.hpp"

namespace esper {
namespace {

/// Counts what the supervisor says, and asks nothing of the disk.
class CountingLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view) override {
    const std::lock_guard lock(mutex_);
    ++counts_[std::string{event}];
    changed_.notify_all();
  }
  /// False: not within a minute.
  bool wait_for(const std::string& event, std::size_t times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{60},
                             [&] { return counts_[event] >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::size_t> counts_;
};

/// Every role that there is, in the order of its death.
std::vector<std::pair<Role, RegionId>> controllers(std::size_t regions) {
  std::vector<std::pair<Role, RegionId>> found;
  for (auto place = role_tree.rbegin(); place != role_tree.rend(); ++place) {
    const std::size_t times = place->role == Role::narset ? regions : 1;
    for (std::uint32_t i = 0; i < times; ++i) found.emplace_back(place->role, RegionId{i});
  }
  return found;
}

/// Each of them hangs in its next handler, for longer than the run, and is given something to
/// handle. Returns when all hang: false, not within a minute.
bool hang_all(ControlPlane& plane, ChaosDesk& desk,
              const std::vector<std::pair<Role, RegionId>>& roles) {
  std::uint64_t number = 0;
  for (const auto& [role, region] : roles) {
    Fault pause{.kind = FaultKind::pause, .target = std::string{name_of(role)}};
    if (role == Role::narset) pause.target += "." + std::to_string(region.value);
    desk.hold({++number, pause, "controllers gone", "a test"},
              ChaosDesk::Clock::now() + std::chrono::hours{1});
    plane.nudge(role, region);
  }
  const auto hang = [&] {
    for (std::uint64_t i = 1; i <= number; ++i)
      if (!desk.has_struck(i)) return false;
    return true;
  };
  for (int i = 0; i < 6'000 && !hang(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  return hang();
}

/// Whatever a test comes to, its plane can stop.
class Lifted {
 public:
  explicit Lifted(ChaosDesk& desk) : desk_(desk) {}
  ~Lifted() { desk_.lift_all(); }
  Lifted(const Lifted&) = delete;
  Lifted& operator=(const Lifted&) = delete;

 private:
  ChaosDesk& desk_;
};

struct Trained {
  TrainingEnd end;
  std::map<std::uint64_t, double> losses;  ///< by step
  Window turns_until;                      ///< newest turn that reached the trainer
  std::vector<SeedStatus> seeds_before;    ///< as the controllers left them
};

enum class Fate { killed, hung };

RunConfig config_of(Pace pace) {
  auto config =
      small_config({"training.steps_max=300", "training.warmup_share=0", "gates.updates_min=10",
                    "gates.calm_windows=0", "gates.shadow_passes_needed=1",
                    "time.checkpoint_cycles=1", "checkpoints.keep=100", "pace.stall_ms_max=2000"});
  config.pace.mode = pace;
  config.control.threads = 16;  // whoever hangs has a thread
  // Who dies stays dead: no restart, and no probe within the run.
  config.control.restarts_max = 0;
  config.control.backoff_ms_first = config.control.backoff_ms_max = 3'600'000;
  return config;
}

/// The whole tree beside the trainer until a seed is on its ramp; then none of its controllers.
Trained train_alone(const RunConfig& config, const ScratchFolder& folder, Fate fate) {
  auto& factory = *load_gpu_library().value();
  auto made = Journal::create(folder / "journal.db");
  REQUIRE(made.has_value());
  auto& journal = *made.value();
  SilentMetrics metrics;
  CountingLog log;
  const auto training =
      factory.make({config, "grown", {}, {}, (folder / "checkpoints").string(), {}});
  const auto host = training->host();
  write_opening(journal, config, host,
                training->assess(chosen_blueprints(config.blueprints, host)));
  ChaosDesk desk;
  ControlSeams seams{*training->executor(), journal, metrics, log, {}};
  seams.chaos = &desk;
  Trained trained;
  ControlPlane plane(config, host, seams);
  const Lifted lifted(desk);
  bool gone = false;
  const auto tell = [&](const TrainingProgress& now) {
    trained.losses[now.step.value] = now.loss;
    if (gone) return;
    trained.seeds_before = training->executor()->seeds();
    gone = std::ranges::any_of(trained.seeds_before, [](const SeedStatus& seed) {
      return on_graph(seed.stage) && seed.alpha > 0;
    });
    if (!gone) return;
    const auto roles = controllers(host.regions.size());
    if (fate == Fate::hung) {
      REQUIRE(hang_all(plane, desk, roles));
      return;
    }
    std::size_t killed = 0;
    for (const auto& [role, region] : roles) {
      if (role == Role::journal)  // else it would take the others with it, as not fallen
        REQUIRE(log.wait_for("breaker_open", killed));
      plane.kill(role, region);
      ++killed;
    }
    REQUIRE(log.wait_for("breaker_open", killed));
  };
  trained.end = training->run(std::atomic<bool>{false}, tell);
  trained.turns_until = training->executor()->released();
  CHECK(gone);
  desk.lift_all();
  const auto control = plane.stop();
  CHECK(control.blocked.empty());
  if (fate == Fate::killed) CHECK(control.restarts == 0);
  return trained;
}

/// The bare loop from the first checkpoint that was cut when the seeds were out of the path.
Trained train_bare(RunConfig config, const ScratchFolder& folder, const Trained& alone) {
  auto& factory = *load_gpu_library().value();
  std::string from;
  Step step;
  for (const auto& found : factory.checkpoints((folder / "checkpoints").string())) {
    REQUIRE(found.place.has_value());
    const auto silent = alone.turns_until.value + config.reflex.executor_silent_windows + 1;
    if (!from.empty() || found.place->window.value < silent) continue;
    from = found.file;
    step = found.place->step;
  }
  REQUIRE(from != "");
  config.mode = Mode::off;
  const auto training = factory.make({config, "grown", {}, {}, {}, from});
  CHECK(training->executor() == nullptr);
  REQUIRE(training->resumed());
  CHECK(training->resumed()->step == step);
  Trained trained;
  trained.end = training->run(std::atomic<bool>{false}, [&](const TrainingProgress& now) {
    trained.losses[now.step.value] = now.loss;
  });
  CHECK(trained.losses.begin()->first > step.value);
  return trained;
}

}  // namespace

SCENARIO(
    "every controller dead, or hung: training reaches its last step, and losses and weights are, "
    "bit for bit, those of the bare loop from the same boundary",
    "[simulation][TRAIN-1]") {
  if (!can_train()) return;
  const auto [fate, pace] = GENERATE(table<Fate, Pace>({{Fate::killed, Pace::free},
                                                        {Fate::hung, Pace::lockstep},
                                                        {Fate::killed, Pace::lockstep},
                                                        {Fate::hung, Pace::free}}));
  if (!(fate == Fate::killed && pace == Pace::free) && !long_tier()) return;
  INFO((fate == Fate::killed ? "killed" : "hung") << ", pace " << name_of(pace));
  const ScratchFolder folder;
  const auto config = config_of(pace);
  const auto alone = train_alone(config, folder, fate);
  CHECK_FALSE(alone.end.interrupted);
  CHECK(alone.end.model.steps == 300);
  // Lockstep waits once, for roles that live and do not answer, and never again.
  CHECK(alone.end.stalled == (fate == Fate::hung && pace == Pace::lockstep));
  std::size_t standing = 0;  // the seeds that were there are there, out of the path
  for (const SeedStatus& seed : alone.end.seeds) {
    if (seed.stage == Stage::fossilised) continue;
    CHECK(seed.alpha == 0);
    ++standing;
  }
  CHECK(standing > 0);

  const auto bare = train_bare(config, folder, alone);
  CHECK(bare.end.model.steps == 300);
  CHECK(bare.end.model.weights_hash == alone.end.model.weights_hash);
  CHECK(bare.end.model.gate_loss == alone.end.model.gate_loss);
  CHECK(bare.end.model.test_loss == alone.end.model.test_loss);
  CHECK(bare.end.model.parameters == alone.end.model.parameters);
  CHECK(bare.end.model.operations == alone.end.model.operations);
  REQUIRE(bare.losses.size() >= 5);
  for (const auto& [step, loss] : bare.losses) {
    INFO("step " << step);
    CHECK(alone.losses.at(step) == loss);
  }
  const auto& whole = alone.end.window_losses;  // of every step, a mean for each window
  const auto& rest = bare.end.window_losses;
  REQUIRE(whole.size() >= rest.size());
  CHECK(
      std::equal(rest.begin(), rest.end(), whole.end() - static_cast<std::ptrdiff_t>(rest.size())));
}

}  // namespace esper
