// One integer reproduces a lockstep run, whatever the machine does meanwhile.
#include <thread>

#include "runtime/training_run.hpp"
#include "tests/long_tier.hpp"
#include "tests/simulation/late_turns.hpp"
#include "tests/simulation/whole_run.hpp"

namespace esper {
namespace {

/// One spinning thread per core, for as long as it lives.
class BusyCores {
 public:
  BusyCores() {
    for (unsigned core = 0; core < std::max(std::thread::hardware_concurrency(), 1U); ++core)
      threads_.emplace_back([](const std::stop_token& stop) {
        for (volatile std::uint64_t count = 0; !stop.stop_requested();) count = count + 1;
      });
  }

 private:
  std::vector<std::jthread> threads_;
};

/// What a run came to, bit for bit.
struct Outcomes {
  std::string decisions, weights;
  friend bool operator==(const Outcomes&, const Outcomes&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcomes& outcomes) {
  return out << "decisions " << outcomes.decisions << ", weights " << outcomes.weights;
}

Outcomes outcomes_of(const WholeRun& run) {
  return {run.result.decision_hash, run.result.grown.model.weights_hash};
}

/// A run that says of itself that its seed reproduces it, and that has something to reproduce.
Outcomes reproducible(const Overrides& overrides) {
  const auto run = run_small(overrides);
  CHECK(run.result.first_irreproducible == "");
  CHECK_FALSE(run.result.degraded);
  CHECK(run.carried_out(CommandKind::graft) > 0);
  CHECK_FALSE(run.all<OpportunityProposal>().empty());
  return outcomes_of(run);
}

const std::string bad_gain =
    R"(training.disturbances=[{"kind":"initial_gain","region":"plain","amount":0.35}])";

/// A short rescue: a scaffold from request to sunset, then a surgery where it stood, which is kept
/// whatever it costs.
WholeRun rescued(Overrides overrides) {
  const Overrides shorter{"data.training_samples=4000",
                          "data.gate_samples=1024",
                          "data.test_samples=1000",
                          "training.steps_max=420",
                          "training.batch=64",
                          "training.epochs=8",
                          "training.decay_share=0",
                          bad_gain,
                          "time.cycle_windows=4",
                          "time.gate_samples=256",
                          "time.verdict_samples=512",
                          "gates.updates_min=30",
                          "blueprints.use=[\"normalisation_scaffold\"]",
                          "compaction.importance_samples=256",
                          "compaction.importance_lost_max=1",
                          "compaction.accuracy_drop_max=1",
                          "compaction.recovery_loss_max=10"};
  overrides.insert(overrides.end(), shorter.begin(), shorter.end());
  auto run = run_whole(shipped_config("rescue.json", overrides));
  CHECK(run.result.first_irreproducible == "");
  CHECK_FALSE(run.result.degraded);
  return run;
}

const Overrides one_worker{"control.threads=1"};
const Overrides delayed{"control.threads=4", "control.delay_ms_max=50"};

}  // namespace

SCENARIO("lockstep: one seed gives one journal and one model, with 1 and 4 workers and delays",
         "[simulation][reproducible]") {
  if (!can_train()) return;
  CHECK(reproducible(delayed) == reproducible(one_worker));
}

SCENARIO("lockstep: a scaffold's life and a surgery are as reproducible",
         "[simulation][reproducible]") {
  if (!can_train()) return;
  const auto run = rescued(one_worker);
  std::size_t granted = 0, folded = 0, cut = 0;
  for (const auto& part : run.all<StrategyPart>())
    for (const Answers& answers : part.said.answers)
      for (const ScaffoldVerdict& verdict : answers.scaffolds)
        granted += verdict.answer == ScaffoldAnswer::granted;
  for (const auto& outcome : run.all<Outcome>())
    folded +=
        outcome.said.kind == CommandKind::fold && outcome.said.refusal == CommandRefusal::none;
  for (const auto& surgery : run.all<SurgeryOutcome>())
    cut += surgery.said.refusal == SurgeryRefusal::none;
  CHECK(granted > 0);
  CHECK(folded > 0);
  CHECK(cut > 0);
  CHECK(outcomes_of(rescued(delayed)) == outcomes_of(run));
}

SCENARIO("lockstep: the same with four workers", "[simulation][reproducible]") {
  if (!long_tier() || !can_train()) return;
  CHECK(reproducible({"control.threads=4"}) == reproducible(one_worker));
}

SCENARIO("lockstep: the same with a busy loop on every core", "[simulation][reproducible]") {
  if (!long_tier() || !can_train()) return;
  const auto idle = reproducible(one_worker);
  const BusyCores busy;
  CHECK(reproducible({"control.threads=4"}) == idle);
}

SCENARIO("lockstep: the same with a busy loop on every core and delays",
         "[simulation][reproducible]") {
  if (!long_tier() || !can_train()) return;
  const auto idle = reproducible(one_worker);
  const BusyCores busy;
  CHECK(reproducible(delayed) == idle);
}

SCENARIO("a free run in which no turn came late equals the lockstep run",
         "[simulation][reproducible]") {
  if (!long_tier() || !can_train()) return;
  // The trainer is told after each window; so slow a trainer meets every turn in time.
  std::uint64_t window = 0;
  const auto free =
      run_small({"pace.mode=free"}, {}, [&](const TrainingProgress& now, Training& training) {
        ++window;
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (now.step < now.steps && training.executor()->released().value < window &&
               std::chrono::steady_clock::now() < until)
          std::this_thread::sleep_for(std::chrono::milliseconds{1});
      });
  REQUIRE(free.result.grown.late_turns == 0);
  CHECK(free.result.first_irreproducible == "");
  CHECK(outcomes_of(free) == reproducible({}));
}

SCENARIO("a free run whose turns come late ends well and says so, with each turn's boundary",
         "[simulation][reproducible]") {
  if (!can_train()) return;
  const auto config =
      small_config({"pace.mode=free", "control.delay_ms_max=50", "training.steps_max=200"});
  const ScratchFolder folder;
  auto directory = RunDirectory::create(config, folder / "run");
  REQUIRE(directory.has_value());
  LateFactory factory{*load_gpu_library().value()};
  ProgressLine progress;
  const auto report =
      train_and_report(config, factory, directory.value(), std::atomic<bool>{false}, progress);
  CHECK(report.exit == 0);
  CHECK(report.error == "");
  CHECK_FALSE(report.reproducible);
  CHECK(report.account.late_turns > 0);
  CHECK(report.first_irreproducible ==
        std::to_string(report.account.late_turns) + " turns came late");
  const auto written = nlohmann::json::parse(file_text(directory.value().report()));
  CHECK(written.at("reproducible") == false);
  CHECK(written.at("first_irreproducible") == report.first_irreproducible);
  CHECK(written.at("pace") == "free");

  const auto journal = Journal::open(directory.value().journal());
  REQUIRE(journal.has_value());
  const auto entries = journal.value()->read_all();
  std::map<Window, TurnApplied> applied;
  std::uint64_t late = 0;
  for (const auto& [window, region, turn] : journalled<TurnApplied>(entries)) {
    INFO("turn " << turn.turn.value << " at boundary " << turn.boundary.value);
    CHECK(turn.boundary == window);  // told with the window that closed there
    CHECK(turn.boundary > turn.turn);
    CHECK(turn.late == (turn.boundary > turn.turn + 1));
    if (LateExecutor::is_held(turn.turn)) CHECK(turn.late);
    if (!applied.empty()) {  // each turn once, in order
      CHECK(turn.turn == applied.rbegin()->first + 1);
      CHECK(turn.boundary >= applied.rbegin()->second.boundary);
    }
    applied[turn.turn] = turn;
    late += turn.late;
  }
  CHECK(late == report.account.late_turns);
  CHECK(late >= 5);
  // What a late turn commanded took effect at the boundary that it got, and nowhere else.
  std::map<CommandId, Window> turn_of;
  for (const auto& command : journalled<AdaptationCommand>(entries))
    turn_of[command.said.id] = command.window;
  std::size_t late_commands = 0;
  for (const auto& [window, region, outcome] : journalled<Outcome>(entries)) {
    if (outcome.reflex) continue;
    const auto& turn = applied.at(turn_of.at(outcome.command));
    CHECK(turn.boundary == window);
    late_commands += turn.late && outcome.refusal == CommandRefusal::none;
  }
  CHECK(late_commands > 0);
}

}  // namespace esper
