// One integer reproduces a lockstep run, whatever the machine does meanwhile.
#include <thread>

#include "runtime/training_run.hpp"
#include "tests/long_tier.hpp"
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

const Overrides one_worker{"control.threads=1"};
const Overrides delayed{"control.threads=4", "control.delay_ms_max=50"};

}  // namespace

SCENARIO("lockstep: one seed gives one journal and one model, with 1 and 4 workers and delays",
         "[simulation][reproducible]") {
  if (!can_train()) return;
  CHECK(reproducible(delayed) == reproducible(one_worker));
}

SCENARIO("lockstep: five runs are equal, on idle and on busy cores", "[simulation][reproducible]") {
  if (!long_tier() || !can_train()) return;
  const auto once = reproducible(one_worker);
  CHECK(reproducible({"control.threads=4"}) == once);
  CHECK(reproducible({"control.threads=1", "control.delay_ms_max=50"}) == once);
  const BusyCores busy;
  CHECK(reproducible({"control.threads=1"}) == once);
  CHECK(reproducible(delayed) == once);
}

SCENARIO("a free run in which no turn came late equals the lockstep run",
         "[simulation][reproducible]") {
  if (!long_tier() || !can_train()) return;
  const auto free = run_small({"pace.mode=free"});
  CHECK(free.result.grown.late_turns == 0);
  if (free.result.grown.late_turns > 0) return;
  CHECK(free.result.first_irreproducible == "");
  CHECK(outcomes_of(free) == reproducible({}));
}

SCENARIO("a free run whose turns come late ends well and says so, with each turn's boundary",
         "[simulation][reproducible]") {
  if (!can_train()) return;
  const auto config =
      small_config({"pace.mode=free", "control.delay_ms_max=200", "training.steps_max=150"});
  const ScratchFolder folder;
  auto directory = RunDirectory::create(config, folder / "run");
  REQUIRE(directory.has_value());
  Progress progress;
  const auto report = train_and_report(config, *load_gpu_library().value(), directory.value(),
                                       std::atomic<bool>{false}, progress);
  CHECK(report.exit == 0);
  CHECK(report.error == "");
  CHECK_FALSE(report.reproducible);
  CHECK(report.first_irreproducible.find("turns came late") != std::string::npos);
  CHECK(report.account.late_turns > 0);
  const auto written = nlohmann::json::parse(file_text(directory.value().report()));
  CHECK(written.at("reproducible") == false);
  CHECK(written.at("pace") == "free");

  const auto journal = Journal::open(directory.value().journal());
  REQUIRE(journal.has_value());
  const auto entries = journal.value()->read_all();
  std::uint64_t late = 0;
  Window turn, boundary;
  for (const auto& [window, region, applied] : journalled<TurnApplied>(entries)) {
    CHECK(applied.boundary == window);  // told with the window that closed there
    CHECK(applied.late == (applied.boundary != applied.turn + 1));
    CHECK(applied.boundary > applied.turn);
    CHECK(applied.turn == turn + 1);  // each turn once, in order
    CHECK(applied.boundary >= boundary);
    turn = applied.turn;
    boundary = applied.boundary;
    late += applied.late;
  }
  CHECK(late > 0);
  CHECK(late == report.account.late_turns);
}

}  // namespace esper
