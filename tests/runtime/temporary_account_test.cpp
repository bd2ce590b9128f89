// A scaffold's life, a region's trouble and a surgery, as the report tells them from the journal.
#include <sstream>

#include <catch2/catch.hpp>

#include "messages/turn.hpp"
#include "runtime/report.hpp"
#include "tests/runtime/journal_entries.hpp"

namespace esper {
namespace {

HostDescription melting_host() {
  HostDescription host;
  host.regions.resize(2);
  host.regions[0].name = "stem";
  host.regions[1].name = "plain";
  host.slots.resize(2);
  host.slots[1].name = "plain.0";
  host.coupled_groups.push_back({"conv1", {0}, 24, {}, {}});
  return host;
}

RegionReport report(std::uint64_t window, bool crisis, bool stable) {
  RegionReport made;
  made.region = {1};
  made.window = {window};
  made.in_crisis = crisis;
  made.stable = stable;
  return made;
}

void move(RegionReport& report, MovementKind kind, std::int64_t energy) {
  Movement movement;
  movement.kind = kind;
  movement.energy = {energy};
  report.movements.push_back(movement);
}

Outcome done(CommandKind kind, Stage stage) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.region = {1};
  outcome.slot = {1};
  outcome.seed = {7};
  outcome.stage = stage;
  return outcome;
}

StrategyPart strategy(std::uint64_t window, bool zone) {
  StrategyPart part;
  part.window = {window};
  if (zone) {
    part.zones.zones.push_back({{1}, 1, {3}, false, 0});
    part.zones.embargoed = {{0}, {1}};
  }
  return part;
}

GateVerdict verdict(const std::string& gate, double measured, const std::string& reason) {
  GateVerdict made;
  made.seed = {7};
  made.slot = {1};
  made.gate = gate;
  made.passed = true;
  made.measured = measured;
  made.reason = reason;
  return made;
}

/// Crisis at 3, granted, grafted, folded at 9, calm from 5 on, zone lifted at 20.
Entries rescued() {
  Entries entries;
  entries.add(0, Role::tolaria, 0, melting_host());
  entries.add(2, Role::narset, 1, report(2, false, true));
  ScaffoldRequest request;
  request.region = {1};
  request.window = {3};
  request.blueprint = "normalisation_scaffold";
  request.slot = {1};
  request.ask = {12};
  request.reason = "signal";
  entries.add(3, Role::narset, 1, report(3, true, false));
  entries.add(3, Role::narset, 1, request);
  StrategyPart granted = strategy(3, true);
  granted.answers.resize(2);
  ScaffoldVerdict answer;
  answer.region = {1};
  answer.blueprint = request.blueprint;
  answer.answer = ScaffoldAnswer::granted;
  granted.answers[1].scaffolds.push_back(answer);
  entries.add(3, Role::tamiyo, 0, granted);
  AdaptationCommand germinate;
  germinate.kind = CommandKind::germinate;
  germinate.id.region = {1};
  germinate.seed = {7};
  germinate.slot = {1};
  germinate.blueprint = request.blueprint;
  RegionReport paid = report(4, true, false);
  move(paid, MovementKind::draw, 5);
  entries.add(4, Role::narset, 1, paid);
  entries.add(4, Role::narset, 1, germinate);
  entries.add(4, Role::tamiyo, 0, strategy(4, true));
  entries.add(5, Role::kasmina, 1, done(CommandKind::graft, Stage::grafting));
  entries.add(5, Role::narset, 1, report(5, false, true));
  entries.add(6, Role::narset, 1, report(6, false, true));
  entries.add(7, Role::narset, 1, verdict("S1", 0, "success"));
  entries.add(7, Role::narset, 1, verdict("S2", 0.3, "fold"));
  Outcome fold = done(CommandKind::fold, Stage::sunset);
  fold.output_change = 2e-7;
  entries.add(9, Role::kasmina, 1, fold);
  RegionReport returned = report(12, false, true);
  move(returned, MovementKind::give_back, 7);
  entries.add(12, Role::kasmina, 1, done(CommandKind::retire, Stage::dormant));
  entries.add(12, Role::narset, 1, returned);
  entries.add(12, Role::tamiyo, 0, strategy(12, true));
  entries.add(20, Role::tamiyo, 0, strategy(20, false));
  return entries;
}

}  // namespace

SCENARIO("the account follows a scaffold from its request to the end of its zone", "[report]") {
  const auto account = account_of(rescued().list, 4);
  REQUIRE(account.scaffolds.size() == 1);
  const auto& scaffold = account.scaffolds.front();
  CHECK(scaffold.region == "plain");
  CHECK(scaffold.slot == "plain.0");
  CHECK(scaffold.answer == "granted");
  CHECK(scaffold.drawn == Energy{5});
  CHECK(scaffold.given_back == Energy{7});
  CHECK(scaffold.grafted == Window{5});
  CHECK(scaffold.succeeded == Window{7});
  CHECK(scaffold.exit == "fold");
  CHECK(scaffold.contribution == 0.3);
  CHECK(scaffold.sunset == Window{9});
  CHECK(scaffold.output_change == 2e-7);
  CHECK(scaffold.retired == Window{12});
  CHECK(scaffold.zone_lifted == Window{20});
  REQUIRE(account.troubles.size() == 1);
  CHECK(account.troubles.front().began == Window{3});
  CHECK(account.troubles.front().recovered == Window{6});
  REQUIRE(account.seeds.size() == 1);
  CHECK(account.seeds.front().fate == "retired");
  CHECK(account.cycles.front().regions.at(1).spent == Energy{5});
}

SCENARIO("a refused request stands with its reason and begins no scaffold", "[report]") {
  Entries entries;
  entries.add(0, Role::tolaria, 0, melting_host());
  ScaffoldRequest request;
  request.region = {1};
  request.window = {3};
  entries.add(3, Role::narset, 1, request);
  StrategyPart part = strategy(3, false);
  part.answers.resize(2);
  ScaffoldVerdict answer;
  answer.region = {1};
  answer.answer = ScaffoldAnswer::pool_empty;
  part.answers[1].scaffolds.push_back(answer);
  entries.add(3, Role::tamiyo, 0, part);
  entries.add(9, Role::tamiyo, 0, strategy(9, false));
  const auto account = account_of(entries.list, 4);
  REQUIRE(account.scaffolds.size() == 1);
  CHECK(account.scaffolds.front().answer == "pool_empty");
  CHECK(account.scaffolds.front().zone_lifted == Window{0});
  CHECK(account.troubles.empty());
}

SCENARIO("checkpoints, plans and surgery stand in the account with both sides of the cut",
         "[report]") {
  Entries entries;
  entries.add(0, Role::tolaria, 0, melting_host());
  CheckpointReady ready;
  ready.checkpoint = 1;
  ready.window = {8};
  ready.gate_loss = 0.5;
  ready.gate_accuracy = 0.8;
  entries.add(8, Role::tolaria, 0, ready);
  entries.add(8, Role::tamiyo, 0, strategy(8, true));
  PruningPart planned;
  planned.window = {15};
  planned.plan.emplace().id = 1;
  planned.plan->cuts = {{"conv1", {0, 1, 2, 3}}};
  planned.plan->price.energy = {17};
  entries.add(15, Role::emrakul, 0, planned);
  StrategyPart approved = strategy(15, false);
  approved.plan = PlanVerdict{1, SurgeryRefusal::none, ""};
  approved.surgery.emplace().plan = *planned.plan;
  approved.pruning.emplace().cycle = {4};
  approved.pruning->allowance = {40};
  approved.pruning->forecast = {3};
  entries.add(15, Role::tamiyo, 0, approved);
  SurgeryOutcome outcome;
  outcome.plan = 1;
  outcome.cuts = planned.plan->cuts;
  outcome.parameters_before = 100;
  outcome.parameters_after = 60;
  entries.add(16, Role::kasmina, 0, outcome);
  ready.checkpoint = 2;
  ready.window = {16};
  entries.add(16, Role::tolaria, 0, ready);
  outcome.refusal = SurgeryRefusal::zone_changed;
  outcome.detail = "version 3, made for 2";
  entries.add(17, Role::kasmina, 0, outcome);
  PruningPart removal;
  removal.window = {17};
  ImportanceReport importance;
  importance.checkpoint = 2;
  importance.layers = {{"block0.attention", 0.1, 0.99, false},
                       {"block1.attention", 1.9, 0.8, true}};
  entries.add(17, Role::elesh, 0, importance);
  removal.plan.emplace().id = 2;
  removal.plan->layers = {"block0.attention"};
  entries.add(17, Role::emrakul, 0, removal);
  approved.window = {17};
  approved.pruning.reset();
  approved.plan->plan = 2;
  approved.surgery->plan = *removal.plan;
  entries.add(17, Role::tamiyo, 0, approved);
  outcome = {};
  outcome.plan = 2;
  outcome.layers = removal.plan->layers;
  entries.add(18, Role::kasmina, 0, outcome);

  const auto account = account_of(entries.list, 4);
  REQUIRE(account.checkpoints.size() == 2);
  CHECK(account.checkpoints[0].embargoed_regions == 2);
  CHECK(account.checkpoints[0].plan == "approved");
  REQUIRE(account.surgeries.size() == 3);
  CHECK(account.surgeries[2].cuts == "block0.attention -> none");
  REQUIRE(account.layers.size() == 2);
  CHECK(account.layers[0].layer == "block0.attention");
  CHECK(account.layers[0].similarity == 0.99);
  CHECK(account.layers[1].in_zone);
  CHECK(account.surgeries[0].result == "kept");
  CHECK(account.surgeries[0].cuts == "conv1 24 -> 4");
  CHECK(account.surgeries[0].price == Energy{17});
  CHECK(account.surgeries[1].result == "zone_changed: version 3, made for 2");
  CHECK(account.surgeries[1].cuts == "conv1 4 -> 4");
  const auto& cycles = account.cycles;
  REQUIRE(cycles.size() >= 2);
  CHECK(cycles.back().cycle == Cycle{4});
  CHECK(cycles.back().allowance == Energy{40});
  CHECK(cycles.back().compacted == Energy{17});

  RunReport report;
  report.account = account;
  std::ostringstream text;
  print_summary(text, report);
  for (const char* said : {"Checkpoints", "Surgery", "conv1 24 -> 4", "pruning allowance",
                           "Whole layers", "block0.attention -> none", "0.9900"})
    CHECK(text.str().find(said) != std::string::npos);
}

}  // namespace esper
