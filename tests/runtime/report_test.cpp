#include "runtime/report.hpp"

#include <sstream>

#include <catch2/catch.hpp>

#include "messages/json.hpp"
#include "messages/turn.hpp"
#include "runtime/progress.hpp"
#include "tests/runtime/journal_entries.hpp"

namespace esper {
namespace {

HostDescription host() {
  HostDescription made;
  made.regions.resize(2);
  made.regions[0].name = "early";
  made.regions[1].name = "late";
  made.slots.resize(2);
  made.slots[0].name = "early.a";
  made.slots[1].name = "late.a";
  return made;
}

AdaptationCommand germinate(std::uint64_t seed) {
  AdaptationCommand command;
  command.kind = CommandKind::germinate;
  command.seed = {seed};
  command.blueprint = "bottleneck";
  return command;
}

Outcome outcome(std::uint64_t seed, CommandKind kind, Stage stage) {
  Outcome made;
  made.kind = kind;
  made.seed = {seed};
  made.stage = stage;
  return made;
}

GateVerdict verdict(std::uint64_t seed, std::string gate, bool passed, double measured) {
  GateVerdict made;
  made.seed = {seed};
  made.gate = std::move(gate);
  made.passed = passed;
  made.measured = measured;
  made.blueprint = "bottleneck";
  return made;
}

RunReport report_of(std::uint64_t seed, double host_accuracy, double grown_accuracy) {
  RunReport report;
  report.seed = seed;
  report.arms.resize(2);
  report.arms[0].arm = "host";
  report.arms[0].test_accuracy = host_accuracy;
  report.arms[0].parameters = 100;
  report.arms[1].arm = "grown";
  report.arms[1].test_accuracy = grown_accuracy;
  report.arms[1].parameters = 150;
  compare_arms(report);
  return report;
}

}  // namespace

SCENARIO("the account follows seeds to the gate that decided them", "[report]") {
  Entries entries;
  entries.add(0, Role::tolaria, 0, host());
  entries.add(1, Role::narset, 0, verdict(0, "G0", false, 0.98));
  entries.add(2, Role::narset, 0, germinate(1));
  entries.add(2, Role::narset, 0, verdict(1, "G0", true, 1));
  entries.add(3, Role::kasmina, 0, outcome(1, CommandKind::germinate, Stage::train_isolated));
  entries.add(5, Role::narset, 0, verdict(1, "G2", true, 0.02));
  entries.add(9, Role::narset, 0, verdict(1, "G5", true, 0.03));
  entries.add(9, Role::kasmina, 0, outcome(1, CommandKind::fossilise, Stage::fossilised));
  entries.add(4, Role::narset, 1, germinate(1));
  entries.add(6, Role::narset, 1, verdict(1, "G2", false, -0.2));
  auto culled = outcome(1, CommandKind::cull, Stage::embargoed);
  culled.region = {1};
  auto refused = outcome(2, CommandKind::germinate, Stage::dormant);
  refused.refusal = CommandRefusal::limit_seeds;
  refused.detail = "3 of 3";
  entries.add(7, Role::kasmina, 1, culled);
  entries.add(7, Role::kasmina, 1, refused);
  // Commands carry their region in their id.
  auto other_region = germinate(1);
  other_region.id.region = {1};
  entries.list[8].payload = canonical(other_region);

  const auto account = account_of(entries.list, 4);
  REQUIRE(account.seeds.size() == 4);
  CHECK(account.seeds[0].fate == "refused");
  CHECK(account.seeds[0].gate == "G0");
  CHECK(account.seeds[0].measured == 0.98);
  CHECK(account.seeds[1].fate == "fossilised");
  CHECK(account.seeds[1].gate == "G5");
  CHECK(account.seeds[1].region == "early");
  CHECK(account.seeds[1].blueprint == "bottleneck");
  CHECK(account.seeds[2].fate == "culled");
  CHECK(account.seeds[2].gate == "G2");
  CHECK(account.seeds[2].measured == -0.2);
  CHECK(account.seeds[2].region == "late");
  REQUIRE(account.refusals.size() == 1);
  CHECK(account.refusals[0].what == "germinate: limit_seeds");
  CHECK(account.seeds[3].fate == "refused");
  CHECK(account.seeds[3].gate == "limit");
  CHECK(account.seeds[3].reason == "limit_seeds: 3 of 3");
  CHECK(account.windows == 9);
}

SCENARIO("the account adds up energy by cycle and region", "[report]") {
  Entries entries;
  entries.add(0, Role::tolaria, 0, host());
  StrategyPart strategy;
  Mint mint;
  mint.cycle = {1};
  mint.posture = Posture::explore;
  mint.minted = {100};
  strategy.mint = mint;
  Answers answers;
  answers.region = {1};
  answers.allocation = Allocation{{1}, {1}, {60}, {4}};
  strategy.answers = {answers};
  strategy.balance = {{100}, {100}, {0}, {0}, {0}};
  entries.add(1, Role::tamiyo, 0, strategy);
  RegionReport report;
  report.region = {1};
  report.refused = {30};
  for (const std::uint64_t window : {2U, 3U}) {  // refused counts up within a cycle: 30, not 60
    report.window = {window};
    entries.add(window, Role::narset, 1, report);
  }
  report.window = {5};
  report.refused = {0};
  report.movements = {{MovementKind::reserve, {1}, 1, {}, {50}},
                      {MovementKind::reserve, {1}, 2, {}, {40}},
                      {MovementKind::settle, {1}, 1, {}, {45}},
                      {MovementKind::release, {1}, 2, {}, {40}}};
  entries.add(5, Role::narset, 1, report);
  StrategyPart last;
  last.balance = {{100}, {10}, {0}, {45}, {45}};
  last.refused = {"settle twice"};
  entries.add(5, Role::tamiyo, 0, last);
  entries.add(5, Role::kasmina, 0, TurnApplied{{3}, {6}, true});
  entries.add(5, Role::supervisor, 1, Restart{Role::narset, {1}, {2}, "killed"});
  entries.add(5, Role::supervisor, 0, Absence{Role::tamiyo, {}, "down"});

  const auto account = account_of(entries.list, 4);
  REQUIRE(account.cycles.size() == 2);
  CHECK(account.cycles[0].minted == Energy{100});
  CHECK(account.cycles[0].posture == "explore");
  CHECK(account.cycles[0].regions.at(1).granted == Energy{60});
  CHECK(account.cycles[0].regions.at(1).refused == Energy{30});
  CHECK(account.cycles[1].regions.at(1).spent == Energy{45});
  CHECK(account.energy.granted == Energy{60});
  CHECK(account.energy.spent == Energy{45});
  CHECK(account.energy.lapsed == Energy{45});
  CHECK(account.energy.refused_share == Approx(30.0 / (30 + 90)));
  CHECK(account.late_turns == 1);
  REQUIRE(account.restarts.size() == 1);
  CHECK(account.restarts[0].what == "narset late");
  CHECK(account.absences.at(0).what == "tamiyo: down");
  CHECK(account.refusals.at(0).what == "ledger: settle twice");
  std::ostringstream text;
  print_ledger(text, account);
  CHECK(text.str().find("minted 100 = available 10 + reserved 0 + spent 45 + lapsed 45") !=
        std::string::npos);
}

SCENARIO("proposals stand with their verdicts and returns", "[report]") {
  Entries entries;
  entries.add(0, Role::tolaria, 0, host());
  OpportunityProposal proposal;
  proposal.id = 4;
  proposal.region = {0};
  proposal.ask = {80};
  proposal.predicted_gain = 0.05;
  entries.add(2, Role::narset, 0, proposal);
  StrategyPart strategy;
  Answers answers;
  Verdict verdict;
  verdict.proposal = 4;
  verdict.kind = VerdictKind::approved;
  verdict.amount = {70};
  answers.verdicts = {verdict};
  strategy.answers = {answers};
  entries.add(2, Role::tamiyo, 0, strategy);
  RegionReport report;
  report.window = {9};
  report.returns = {{{0}, 4, 0.05, 0.02}};
  entries.add(9, Role::narset, 0, report);
  const auto account = account_of(entries.list, 4);
  REQUIRE(account.proposals.size() == 1);
  CHECK(account.proposals[0].verdict == "approved");
  CHECK(account.proposals[0].amount == Energy{70});
  CHECK(account.proposals[0].realised_gain == 0.02);
}

SCENARIO("a gain that another seed would move is none", "[report]") {
  const auto verdict = [](const std::vector<RunReport>& reports) {
    return compare_seeds(reports).at(0).verdict;
  };
  CHECK(verdict({report_of(1, 0.80, 0.85)}) == "one seed");
  CHECK(verdict({report_of(1, 0.80, 0.81), report_of(2, 0.84, 0.85)}) == "none");
  CHECK(verdict({report_of(1, 0.80, 0.85), report_of(2, 0.81, 0.86)}) == "gain");
  CHECK(verdict({report_of(1, 0.80, 0.75), report_of(2, 0.81, 0.76)}) == "loss");
  std::ostringstream text;
  print_comparison(text, {report_of(1, 0.80, 0.81), report_of(2, 0.84, 0.85)});
  CHECK(text.str().find("none") != std::string::npos);
}

SCENARIO("report.json begins with the keys that people look for", "[report]") {
  auto report = report_of(3, 0.8, 0.85);
  report.seal = JournalSeal{"f", "h", 2};
  const auto json = nlohmann::ordered_json::parse(report_json(report));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  const std::vector<std::string> first{"version",      "seed",         "pace", "reproducible",
                                       "journal_hash", "weights_hash", "exit"};
  REQUIRE(keys.size() > first.size());
  CHECK(std::vector<std::string>(keys.begin(), keys.begin() + 7) == first);
  CHECK(json.at("gain").at(0).at("test_accuracy").get<double>() == Approx(0.05));
  CHECK(json.at("cost").at(0).at("parameters") == 1.5);
  CHECK(json.at("seal").at("file_sha256") == "f");
  CHECK(json.contains("seeds"));
  CHECK(json.contains("energy"));
  std::ostringstream text;
  print_summary(text, report);
  CHECK(text.str().find("grown against") != std::string::npos);
}

SCENARIO("a refusal that comes again is one line of the summary", "[report]") {
  RunReport report;
  SeedAccount refused;
  refused.slot = "early.a";
  refused.fate = "refused";
  refused.gate = "G0";
  refused.reason = "no energy";
  report.account.seeds = {refused, refused, refused};
  report.account.seeds[2].measured = 7;
  report.account.seeds.push_back(refused);
  report.account.seeds[3].slot = "early.b";
  std::ostringstream text;
  print_summary(text, report);
  CHECK(text.str().find("7          0  no energy (3 times)") != std::string::npos);
  CHECK(text.str().find("early.b") != std::string::npos);
}

SCENARIO("a line is cut to its terminal", "[progress]") {
  CHECK(fitted("abcdef", 0) == "abcdef");
  CHECK(fitted("abcdef", 7) == "abcdef");
  CHECK(fitted("abcdef", 6) == "abcde");  // the last column would wrap
}

SCENARIO("a progress line says what is known", "[progress]") {
  ProgressState state;
  state.arm = "grown";
  state.training = {{50}, {100}, 0.5};
  state.seconds = 10;
  CHECK(progress_line(state) == "grown  step 50/100  loss 0.5000  10 s left");
  state.energy = LedgerBalance{{9}, {5}, {0}, {4}, {0}};
  state.region_names = {"early", "late"};
  state.seeds.resize(2);
  state.seeds[0].region = {1};
  state.seeds[0].stage = Stage::grafting;
  state.seeds[1].region = {1};
  state.seeds[1].stage = Stage::fossilised;
  CHECK(progress_line(state) ==
        "grown  step 50/100  loss 0.5000  energy 5 free, 4 spent  seeds early 0 late 1  10 s left");
}

}  // namespace esper
