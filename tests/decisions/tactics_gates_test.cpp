// Each gate's finer print: how often, how long, how far.
#include <catch2/catch.hpp>

#include "tests/decisions/scripted_region.hpp"

namespace esper {
namespace {

void check_clean(const ScriptedRegion& region) {
  for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
}

/// The turn in which this command was first given; 0: never.
std::uint64_t given(const ScriptedRegion& region, CommandKind kind) {
  for (std::size_t turn = 0; turn < region.parts.size(); ++turn)
    for (const AdaptationCommand& command : region.parts[turn].commands)
      if (command.kind == kind) return turn + 1;
  return 0;
}

const SeedTelemetry& seed_in(const ScriptedRegion& region, std::uint64_t turn) {
  return region.turns.at(turn - 1).telemetry.seeds.at(0);
}

/// One slot is left free of rivals: the second seed never helps.
void only_the_first_helps(ScriptedRegion& region) {
  region.gain = [](const ScriptedSeed& seed) { return seed.seed.value % 2 == 1 ? 0.05 : 0.0; };
}

SCENARIO("G2 asks for passes in a row", "[tactics][gates]") {
  ScriptedRegion region;
  region.gain = [&](const ScriptedSeed&) { return region.turns.size() % 2 == 0 ? 0.05 : -0.01; };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 30);
  check_clean(region);
  CHECK(region.count(CommandKind::graft) == 0);
  CHECK(region.verdicts("G2").size() >= 1);
}

SCENARIO("G2 asks seeds that ramp together to help together", "[tactics][gates]") {
  ScriptedRegion region;
  region.spoil = [](RegionTelemetry& seen) {
    for (SeedTelemetry& seed : seen.seeds) seed.gate.loss_joint = seed.gate.loss_without + 0.01;
  };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 30);
  check_clean(region);
  CHECK(region.count(CommandKind::graft) == 0);
}

SCENARIO("G3 asks full alpha to hold through a whole window", "[tactics][gates]") {
  ScriptedRegion region;
  only_the_first_helps(region);
  Tactics tactics = scripted_tactics();
  region.run(tactics, 25);
  check_clean(region);
  const std::uint64_t stabilised = given(region, CommandKind::stabilise);
  REQUIRE(stabilised > 2);
  CHECK(seed_in(region, stabilised).alpha == 1);
  CHECK(seed_in(region, stabilised - 1).alpha == 1);  // and at the window's beginning
}

SCENARIO("G3 allows for what two windows differ by chance, within bounds", "[tactics][gates]") {
  // 25 steps of deviation 0.1: two deviations of the difference of two means are 5.7 %.
  const auto ramped_at = [](double loss) {
    ScriptedRegion region;
    only_the_first_helps(region);
    Tactics tactics = scripted_tactics();
    region.spoil = [&, loss](RegionTelemetry& seen) {
      // The graft takes effect as the next window closes: that window is still of before.
      const std::uint64_t grafted = given(region, CommandKind::graft);
      if (grafted != 0 && seen.window.value > grafted + 1) seen.loss_mean = loss;
    };
    region.run(tactics, 22);
    check_clean(region);
    return region;
  };
  GIVEN("a rise within the noise, over the band") {
    const ScriptedRegion region = ramped_at(1.03);
    CHECK(region.count(CommandKind::hold) == 0);
    CHECK(region.count(CommandKind::stabilise) == 1);
  }
  GIVEN("one within the noise, but over twice the band") {
    const ScriptedRegion region = ramped_at(1.045);
    CHECK(region.count(CommandKind::hold) >= 1);
    CHECK(region.count(CommandKind::roll_back) == 0);
  }
  GIVEN("one over the noise and the outer band") {
    const ScriptedRegion region = ramped_at(1.06);
    CHECK(region.count(CommandKind::roll_back) == 1);
  }
}

SCENARIO("G5 counts calm windows of its own stage", "[tactics][gates]") {
  ScriptedRegion region;
  only_the_first_helps(region);
  region.settings.gates.stable_windows = 6;
  Tactics tactics = scripted_tactics(region.settings);
  region.run(tactics, 30);
  check_clean(region);
  const std::uint64_t fossilised = given(region, CommandKind::fossilise);
  // Told one turn after the command, then six windows.
  CHECK(fossilised == given(region, CommandKind::stabilise) + 1 + 6);
}

SCENARIO("G5 passes no seed whose alpha is 0", "[tactics][gates]") {
  ScriptedRegion region;
  region.spoil = [](RegionTelemetry& seen) {
    for (SeedTelemetry& seed : seen.seeds)
      if (seed.stage == Stage::stabilising) seed.alpha = 0;
  };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 40);
  check_clean(region);
  CHECK(region.count(CommandKind::stabilise) >= 1);
  CHECK(region.count(CommandKind::fossilise) == 0);
}

SCENARIO("G5 takes out at once what the model is better without", "[tactics][gates]") {
  ScriptedRegion region;
  region.gain = [](const ScriptedSeed& seed) {
    return seed.stage == Stage::stabilising ? -0.2 : 0.05;
  };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 22);
  check_clean(region);
  const auto verdicts = region.verdicts("G5");
  REQUIRE_FALSE(verdicts.empty());
  CHECK(verdicts.front().reason == "the model is better without it");
  CHECK(given(region, CommandKind::cull) <= given(region, CommandKind::stabilise) + 2);
}

SCENARIO("a loss after the seed had touched the host is a regression, one before is none",
         "[tactics][gates]") {
  const auto counted = [](Stage harmful) {
    ScriptedRegion region;
    region.gain = [=](const ScriptedSeed& seed) { return seed.stage == harmful ? -0.2 : 0.05; };
    Tactics tactics = scripted_tactics();
    region.run(tactics, 14);
    check_clean(region);
    std::pair<std::uint32_t, std::uint32_t> sum;
    for (const RegionPart& part : region.parts) {
      sum.first += part.report.losses;
      sum.second += part.report.regressions;
    }
    return sum;
  };
  const auto [isolated, none] = counted(Stage::train_isolated);
  CHECK(isolated >= 1);
  CHECK(none == 0);
  const auto [grafted, regressions] = counted(Stage::grafting);
  CHECK(grafted >= 1);
  CHECK(regressions == grafted);
}

SCENARIO("outcomes of another region are not believed", "[tactics][gates]") {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics();
  region.run(tactics, 6);
  REQUIRE_FALSE(tactics.plans.empty());
  RegionTurn turn = region.next();
  Outcome foreign;
  foreign.region = {1};
  foreign.seed = tactics.plans.front().seed;
  foreign.kind = CommandKind::cull;
  foreign.stage = Stage::embargoed;
  turn.outcomes.push_back(foreign);
  const std::size_t seeds = tactics.plans.size();
  const RegionPart part = decide(tactics, turn, {1});
  CHECK(tactics.plans.size() >= seeds);
  CHECK(part.report.losses == 0);
}

}  // namespace
}  // namespace esper
