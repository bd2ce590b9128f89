// What the report adds to the journal's account: windows, lives, the map, scorecards and the three
// promotion numbers.
#include <limits>

#include <catch2/catch.hpp>

#include "tests/runtime/lived_run.hpp"

namespace esper {
namespace {

ArmCurve curve(const char* arm, const std::vector<double>& losses) {
  return curve_of(arm, losses, 10);
}

std::vector<WindowAccount> windows_with_seeds(std::uint64_t count, std::uint64_t from,
                                              std::uint64_t to) {
  std::vector<WindowAccount> windows(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    windows[i].window = {i + 1};
    windows[i].seeds_in_path = i + 1 >= from && i + 1 <= to ? 1 : 0;
  }
  return windows;
}

CheckpointAccount checkpoint(std::uint64_t number, std::uint64_t window, double loss) {
  return {number, {window}, loss, 0.8, 0, ""};
}

ScaffoldAccount left_in(std::uint64_t window) {
  ScaffoldAccount scaffold;
  scaffold.region = "plain";
  scaffold.sunset = {window};
  return scaffold;
}

}  // namespace

SCENARIO("each window has its loss, its seeds in the path, its crises and zones", "[report]") {
  const auto account = account_of(LivedRun{}.entries(), 4);
  REQUIRE(account.window_list.size() == LivedRun::windows);
  const auto& quiet = account.window_list[1];
  CHECK(quiet.window == Window{2});
  CHECK(quiet.step == Step{20});
  CHECK(quiet.loss == 1.0);
  CHECK(quiet.seeds_in_path == 0);
  CHECK(quiet.crisis.empty());
  CHECK(account.window_list[2].seeds_in_path == 0);  // isolated: the host does not see it
  const auto& troubled = account.window_list[4];
  CHECK(troubled.seeds_in_path == 1);
  CHECK(troubled.crisis == std::vector<std::string>{"late"});
  CHECK(troubled.embargoed == std::vector<std::string>{"late"});
}

SCENARIO("a life holds the stages of a seed with their alphas, and its gates", "[report]") {
  const auto account = account_of(LivedRun{}.entries(), 4);
  REQUIRE(account.lives.size() == 2);
  const auto& seed = account.lives[0];
  CHECK(seed.slot == "early.a");
  CHECK_FALSE(seed.scaffold);
  CHECK(seed.parameters == 50);
  REQUIRE(seed.stages.size() == 4);
  CHECK(seed.stages[0].stage == "train_isolated");
  CHECK(seed.stages[0].window == Window{3});
  CHECK(seed.stages[1].stage == "grafting");
  CHECK(seed.stages[1].alpha == 0.25);
  CHECK(seed.stages[2].window == Window{6});  // no outcome tells it: telemetry does
  CHECK(seed.stages[2].alpha == 0.5);
  CHECK(seed.stages[3].stage == "fossilised");
  REQUIRE(seed.gates.size() == 2);
  CHECK(seed.gates[1].gate == "G5");
  const auto& scaffold = account.lives[1];
  CHECK(scaffold.scaffold);
  CHECK(scaffold.stages.back().stage == "retired");
}

SCENARIO("a seed stands with what was predicted, measured in isolation and realised", "[report]") {
  const auto account = account_of(LivedRun{}.entries(), 4);
  const auto seed = std::find_if(account.seeds.begin(), account.seeds.end(),
                                 [](const SeedAccount& one) { return one.fate == "fossilised"; });
  REQUIRE(seed != account.seeds.end());
  CHECK(seed->proposal == 4);
  CHECK(seed->predicted_gain == 0.05);
  CHECK(seed->isolated_gain == 0.03);
  CHECK(seed->realised_gain == 0.02);
  CHECK(seed->parameters == 50);
}

SCENARIO("a cycle says where its energy went", "[report]") {
  const auto account = account_of(LivedRun{}.entries(), 4);
  REQUIRE(account.cycles.size() == 3);
  CHECK(account.cycles[0].treasury == Energy{80});
  CHECK(account.cycles[0].emergency == Energy{10});
  CHECK(account.cycles[0].granted == Energy{70});
  CHECK(account.cycles[0].reserved == Energy{70});
  CHECK(account.cycles[0].lapsed == Energy{110});
  CHECK(account.cycles[1].lapsed == Energy{0});  // the balance counts up over the run
  CHECK(account.cycles[1].drawn == Energy{9});
  CHECK(account.cycles[1].spent == Energy{69});
}

SCENARIO("the map shows shares, edges and what stands where", "[report]") {
  const auto map = account_of(LivedRun{}.entries(), 4).map;
  CHECK(map.host == "by hand");
  REQUIRE(map.regions.size() == 2);
  CHECK(map.regions[0].parameters_share == 0.4);
  CHECK(map.regions[0].operations_share == 0.8);
  CHECK(map.regions[0].seeds == std::vector<std::string>{"early.a: bottleneck, fossilised"});
  CHECK(map.regions[0].seed_parameters == 50);
  CHECK(map.regions[1].seeds.empty());  // the scaffold has left
  CHECK_FALSE(map.regions[1].embargoed);
  REQUIRE(map.edges.size() == 1);
  CHECK(map.edges[0].to == "late");
}

SCENARIO("a scorecard counts crises, gain, energy and calibration", "[report]") {
  const auto cards = scorecards_of(account_of(LivedRun{}.entries(), 4));
  REQUIRE(cards.size() == 2);
  const auto& early = cards[0];
  CHECK_FALSE(early.stability_restored);
  CHECK(early.seeds_stood == 1);
  CHECK(early.seeds_fossilised == 1);
  CHECK(early.gain == 0.02);
  CHECK(*early.gain_per_thousand_parameters == Approx(0.4));
  CHECK(early.asked == Energy{100});
  CHECK(early.refused == Energy{30});
  CHECK(early.granted == Energy{70});
  CHECK(early.spent == Energy{60});
  CHECK(early.predictions == 1);
  CHECK(*early.calibration == Approx(0.4));
  const auto& late = cards[1];
  CHECK(late.crises_begun == 1);
  CHECK(late.crises_ended == 1);
  CHECK(late.stability_restored == 1.0);
  CHECK(late.windows_in_crisis == 3);
  CHECK(late.windows == 12);
  CHECK(late.emergency_asked == Energy{12});
  CHECK(late.emergency_granted == Energy{12});
  CHECK(late.spent == Energy{9});  // drawn by the scaffold
  CHECK(late.seeds_stood == 0);    // a scaffold is not a growth seed
  CHECK_FALSE(late.gain_per_thousand_parameters);
  CHECK_FALSE(late.calibration);
}

SCENARIO("regressions count only windows with a seed in the path, in both arms", "[promotion]") {
  const auto windows = windows_with_seeds(5, 3, 5);
  GIVEN("a rise before the seed, one while it stands, and one within the band") {
    const auto grown = curve("grown", {1, 9, 1.5, 0.5, 0.62});
    THEN("the one while it stands counts: above the best so far by more than a quarter") {
      const auto number = regression_of(windows, {grown, curve("host", {1, 1, 1, 2, 1.25})});
      CHECK(number.band == 0.25);
      CHECK(number.windows == 3);
      CHECK(number.grown == 1);
      CHECK(number.grown_worst == Approx(0.5));
      CHECK(number.host == 1U);  // 1.25 is not more than a quarter above 1
      CHECK(number.host_worst == Approx(1.0));
    }
    THEN("without a host arm nothing is said of it") {
      const auto number = regression_of(windows, {grown});
      CHECK_FALSE(number.host);
      CHECK_FALSE(number.host_worst);
    }
  }
  GIVEN("a loss that is no number") {
    const double none = std::numeric_limits<double>::quiet_NaN();
    CHECK(regression_of(windows, {curve("grown", {1, 1, 1, none, 0.9})}).grown == 1);
  }
  GIVEN("no seed") {
    const auto number =
        regression_of(windows_with_seeds(5, 6, 6), {curve("grown", {1, 5, 5, 5, 5})});
    CHECK(number.windows == 0);
    CHECK(number.grown == 0);
  }
}

SCENARIO("a sunset stands between the checkpoints around it", "[promotion]") {
  const std::vector<CheckpointAccount> checkpoints{checkpoint(1, 4, 0.5), checkpoint(2, 8, 0.4),
                                                   checkpoint(3, 12, 0.45)};
  const auto numbers =
      sunsets_of({left_in(9), left_in(8), left_in(2), left_in(13), left_in(0)}, checkpoints);
  REQUIRE(numbers.size() == 2);  // the others have no checkpoint on one side, or never left
  CHECK(numbers[0].checkpoint_before == 2);
  CHECK(numbers[0].checkpoint_after == 3);
  CHECK(numbers[0].change == Approx(0.05));
  CHECK(numbers[0].later == 1);
  CHECK(numbers[0].later_above == 1);
  CHECK(numbers[1].checkpoint_after == 2);  // measured after the commands of its window
  CHECK(numbers[1].change == Approx(-0.1));
  CHECK(numbers[1].later == 2);
  CHECK(numbers[1].later_above == 0);
}

SCENARIO("the speed-up is uncut over cut, and says how calm the cuts were", "[promotion]") {
  const auto report = lived_report();
  REQUIRE(report.promotion.speed);
  CHECK(report.promotion.speed->batch_least == Approx(2.5));
  CHECK(report.promotion.speed->batch == Approx(1.0));
  CHECK(report.promotion.speed->surgeries == 1);
  CHECK(report.promotion.speed->in_calm == 1);
  CHECK_FALSE(speed_of(report.account, std::nullopt, &report.arms[1]));
  CHECK_FALSE(speed_of(report.account, report.uncut, nullptr));
  const TrainedModel unmeasured;
  CHECK_FALSE(speed_of(report.account, report.uncut, &unmeasured));
}

SCENARIO("the grown curve is the journal's where there is one", "[report]") {
  const auto report = lived_report();
  REQUIRE(report.curves.size() == 2);
  CHECK(report.curves.back().arm == "grown");
  CHECK(report.curves.back().points.at(1).loss == 1.0);
  RunReport off;
  off.curves = {curve("grown", {3, 2})};
  conclude(off);
  REQUIRE(off.curves.size() == 1);
  CHECK(off.curves[0].points.at(1).step == Step{20});
}

}  // namespace esper
