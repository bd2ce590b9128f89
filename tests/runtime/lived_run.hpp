#pragma once
// A journal written by hand of a run in which everything happened: a seed that was funded and
// stayed, one that was refused, a region in crisis, its scaffold and zone, a surgery, a restart.
#include "messages/blueprint.hpp"
#include "messages/host.hpp"
#include "messages/training.hpp"
#include "runtime/report.hpp"
#include "tests/runtime/journal_entries.hpp"

namespace esper {

inline HostDescription lived_host() {
  HostDescription host;
  host.name = "by hand";
  host.regions = {{"early", {"conv1."}, 400, 8'000}, {"late", {"conv2."}, 600, 2'000}};
  host.edges = {{{0}, {1}, false}};
  host.slots.resize(2);
  host.slots[0].name = "early.a";
  host.slots[1].name = "late.a";
  host.slots[1].region = {1};
  host.parameters = 1'000;
  host.operations = 10'000;
  return host;
}

inline Catalogue lived_catalogue() {
  Catalogue catalogue;
  catalogue.blueprints.resize(2);
  catalogue.blueprints[0].name = "bottleneck";
  catalogue.blueprints[1].name = "rescue_scaffold";
  catalogue.blueprints[1].blueprint_class = BlueprintClass::scaffold;
  return catalogue;
}

class LivedRun {
 public:
  static constexpr std::uint64_t windows = 12;
  static constexpr SeedId seed{11}, scaffold{21};

  LivedRun() {
    entries_.add(0, Role::tolaria, 0, lived_host());
    entries_.add(0, Role::urza, 0, lived_catalogue());
    for (now_ = 1; now_ <= windows; ++now_) {
      measure();
      if (now_ % 4 == 0) checkpoint();
      act();
      for (const std::uint32_t region : {0U, 1U}) report(region);
      decide();
      strategy();
    }
  }

  [[nodiscard]] const std::vector<JournalEntry>& entries() const { return entries_.list; }

 private:
  [[nodiscard]] bool crisis(std::uint32_t region) const {
    return region == 1 && now_ >= 3 && now_ <= 5;
  }

  void measure() {
    WindowSummary summary;
    summary.window = {now_};
    summary.step = {10 * now_};
    entries_.add(now_, Role::tolaria, 0, summary);
    for (const std::uint32_t region : {0U, 1U}) {
      RegionTelemetry seen;
      seen.region = {region};
      seen.window = {now_};
      seen.loss_mean = crisis(1) ? 4.0 : 2.0 / static_cast<double>(now_);
      if (region == 0 && now_ >= 3 && now_ < 8) {
        SeedTelemetry told;
        told.seed = seed;
        told.stage = now_ >= 4 ? Stage::grafting : Stage::train_isolated;
        told.alpha = now_ >= 6 ? 0.5 : now_ >= 4 ? 0.25 : 0;
        seen.seeds.push_back(told);
      }
      entries_.add(now_, Role::tolaria, region, seen);
    }
  }

  void checkpoint() {
    CheckpointReady ready;
    ready.checkpoint = now_ / 4;
    ready.window = {now_};
    ready.gate_loss = 1.0 / static_cast<double>(now_);
    ready.gate_accuracy = 0.5 + 0.03 * static_cast<double>(now_);
    entries_.add(now_, Role::tolaria, 0, ready);
  }

  void happen(std::uint32_t region, SeedId id, CommandKind kind, Stage stage, double alpha) {
    Outcome outcome;
    outcome.kind = kind;
    outcome.region = {region};
    outcome.slot = {region};
    outcome.seed = id;
    outcome.stage = stage;
    outcome.alpha = alpha;
    outcome.parameters = 50;
    entries_.add(now_, Role::kasmina, region, outcome);
  }

  void act() {
    if (now_ == 3) happen(0, seed, CommandKind::germinate, Stage::train_isolated, 0);
    if (now_ == 4) happen(0, seed, CommandKind::graft, Stage::grafting, 0.25);
    if (now_ == 4) happen(1, scaffold, CommandKind::germinate, Stage::train_isolated, 0);
    if (now_ == 5) happen(1, scaffold, CommandKind::graft, Stage::grafting, 1);
    if (now_ == 8) happen(0, seed, CommandKind::fossilise, Stage::fossilised, 1);
    if (now_ == 8) happen(1, scaffold, CommandKind::fold, Stage::sunset, 0);
    if (now_ == 9) happen(1, scaffold, CommandKind::retire, Stage::dormant, 0);
    if (now_ == 12) {
      SurgeryOutcome cut;
      cut.plan = 2;
      cut.loss_before = 0.09;
      cut.loss_after = 0.11;
      cut.accuracy_before = 0.86;
      cut.accuracy_after = 0.84;
      cut.parameters_before = 1'050;
      cut.parameters_after = 700;
      cut.operations_before = 11'000;
      cut.operations_after = 6'000;
      entries_.add(now_, Role::kasmina, 0, cut);
    }
  }

  void report(std::uint32_t region) {
    RegionReport told;
    told.region = {region};
    told.window = {now_};
    told.in_crisis = crisis(region);
    told.stable = !crisis(region);
    if (region == 0 && now_ == 2) {
      told.refused = {30};
      told.movements = {{MovementKind::reserve, {0}, 1, {}, {70}}};
    }
    if (region == 0 && now_ == 8) {
      told.movements = {{MovementKind::settle, {0}, 1, {}, {60}}};
      told.returns = {{{0}, 4, 0.05, 0.02}};
    }
    if (region == 1 && now_ == 5) told.movements = {{MovementKind::draw, {1}, 1, {}, {9}}};
    entries_.add(now_, Role::narset, region, told);
  }

  void gate(std::uint32_t region, SeedId id, const char* name, bool passed, double measured) {
    GateVerdict verdict;
    verdict.seed = id;
    verdict.slot = {region};
    verdict.gate = name;
    verdict.passed = passed;
    verdict.measured = measured;
    verdict.threshold = 0.001;
    verdict.reason = passed ? "it pays its rent" : "the lease does not cover the price";
    verdict.blueprint = region == 0 ? "bottleneck" : "rescue_scaffold";
    entries_.add(now_, Role::narset, region, verdict);
  }

  void germinate(std::uint32_t region, SeedId id) {
    AdaptationCommand command;
    command.kind = CommandKind::germinate;
    command.id.region = {region};
    command.seed = id;
    command.slot = {region};
    command.blueprint = region == 0 ? "bottleneck" : "rescue_scaffold";
    entries_.add(now_, Role::narset, region, command);
  }

  void decide() {
    if (now_ == 1) {
      gate(0, {}, "G0", false, 5);
      OpportunityProposal proposal;
      proposal.id = 4;
      proposal.cycle = {1};
      proposal.ask = {80};
      proposal.blueprint = "bottleneck";
      proposal.predicted_gain = 0.05;
      entries_.add(now_, Role::narset, 0, proposal);
    }
    if (now_ == 2) germinate(0, seed);
    if (now_ == 3) {
      gate(0, seed, "G2", true, 0.03);
      ScaffoldRequest request;
      request.region = {1};
      request.window = {now_};
      request.blueprint = "rescue_scaffold";
      request.slot = {1};
      request.ask = {12};
      request.reason = "signal </script><b>";
      entries_.add(now_, Role::narset, 1, request);
      germinate(1, scaffold);
    }
    if (now_ == 7) {
      gate(0, seed, "G5", true, 0.02);
      gate(1, scaffold, "S2", true, 0.3);
    }
  }

  void strategy() {
    StrategyPart part;
    part.window = {now_};
    part.balance = {{300}, {120}, {10}, {60}, {110}};
    if (now_ % 4 == 1) {
      const Cycle cycle{now_ / 4 + 1};
      part.mint = Mint{cycle, Posture::explore, 1, {100}, {80}, {10}, {10}, {40}};
      part.pruning = PruningAllowance{cycle, {40}, {20}, {15}, 10};
    }
    part.answers.resize(2);
    part.answers[1].region = {1};
    if (now_ == 1) {
      part.answers[0].allocation = Allocation{{0}, {1}, {70}, {8}};
      Verdict verdict;
      verdict.proposal = 4;
      verdict.kind = VerdictKind::approved;
      verdict.amount = {70};
      verdict.until = {6};
      part.answers[0].verdicts = {verdict};
    }
    if (now_ == 3) {
      ScaffoldVerdict granted;
      granted.region = {1};
      granted.blueprint = "rescue_scaffold";
      granted.answer = ScaffoldAnswer::granted;
      part.answers[1].scaffolds = {granted};
    }
    if (now_ >= 3 && now_ <= 10) {
      part.zones.zones.push_back({{1}, 1, {3}, false, 0});
      part.zones.embargoed = {{1}};
    }
    if (now_ == 6) part.refused = {"settle twice"};
    entries_.add(now_, Role::tamiyo, 0, part);
    if (now_ == 6) {
      entries_.add(now_, Role::supervisor, 0, Absence{Role::tamiyo, {}, "down"});
      entries_.add(now_, Role::supervisor, 1, Restart{Role::narset, {1}, {2}, "killed"});
    }
  }

  std::uint64_t now_{};
  Entries entries_;
};

inline TrainedModel lived_arm(const char* name, double accuracy, std::uint64_t parameters) {
  TrainedModel arm;
  arm.arm = name;
  arm.test_accuracy = accuracy;
  arm.test_loss = 1 - accuracy;
  arm.parameters = parameters;
  arm.operations = 10 * parameters;
  arm.training_operations.training = 497'966'616'576;
  arm.latency_batch_seconds = 0.0078;
  arm.latency_single_seconds = 0.00016;
  arm.latency_batch_seconds_min = 0.0075;
  arm.latency_single_seconds_min = 0.00015;
  arm.wall_seconds = 54.3;
  return arm;
}

/// Its whole report, as a run would have written it.
inline RunReport lived_report() {
  RunReport report;
  report.version = "0.1.0";
  report.name = "by <hand>";
  report.seed = 18'446'744'073'709'551'615U;
  report.mode = Mode::act;
  report.window_steps = 10;
  report.cycle_windows = 4;
  report.reproducible = true;
  report.arms = {lived_arm("host", 0.8, 1'000), lived_arm("grown", 0.85, 700)};
  report.arms[1].latency_batch_seconds_min = 0.003;
  report.uncut = lived_arm("uncut", 0, 1'050);
  std::vector<double> losses;
  for (std::uint64_t window = 1; window <= LivedRun::windows; ++window)
    losses.push_back(2.1 / static_cast<double>(window));
  report.curves = {curve_of("host", losses, 10)};
  report.account = account_of(LivedRun{}.entries(), 4);
  report.breakers = {{"journal.disk", 1}};
  report.seal = JournalSeal{"f", "h", 2};
  conclude(report);
  return report;
}

}  // namespace esper
