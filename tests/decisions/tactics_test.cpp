#include "actors/decisions/tactics.hpp"

#include <catch2/catch.hpp>

#include <limits>

#include "tests/decisions/scripted_region.hpp"

namespace esper {
namespace {

void check_clean(const ScriptedRegion& region) {
  for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
}

bool any_command(const RegionPart& part, CommandKind kind) {
  for (const AdaptationCommand& command : part.commands)
    if (command.kind == kind) return true;
  return false;
}

/// Runs until a command of this kind is given; false when it never is.
bool run_until(ScriptedRegion& region, Tactics& tactics, CommandKind kind,
               std::uint32_t windows_max = 60) {
  for (std::uint32_t i = 0; i < windows_max; ++i) {
    region.run(tactics, 1);
    if (any_command(region.parts.back(), kind)) return true;
  }
  return false;
}

SCENARIO("a seed that helps is grown to its end", "[tactics]") {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics();
  region.run(tactics, 40);
  check_clean(region);
  CHECK(region.count(CommandKind::fossilise) >= 1);
  CHECK(region.count(CommandKind::cull) == 0);
  std::uint32_t wins = 0;
  for (const RegionPart& part : region.parts) wins += part.report.wins;
  CHECK(wins == region.count(CommandKind::fossilise));
  CHECK(region.spent > 0);
  for (const char* gate : {"G0", "G2", "G3", "G5"}) {
    const auto verdicts = region.verdicts(gate);
    CAPTURE(gate);
    REQUIRE_FALSE(verdicts.empty());
    CHECK(verdicts.front().passed);
  }
  CHECK(region.verdicts("G5").front().measured == Approx(0.05));
}

SCENARIO("a seed that harms is culled at its first measurement and its slot is embargoed",
         "[tactics]") {
  ScriptedRegion region;
  region.gain = [](const ScriptedSeed&) { return -1.0; };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 30);
  check_clean(region);
  CHECK(region.count(CommandKind::graft) == 0);
  CHECK(region.count(CommandKind::cull) >= 1);
  CHECK(region.count(CommandKind::lift_embargo) >= 1);
  const auto verdicts = region.verdicts("G2");
  REQUIRE_FALSE(verdicts.empty());
  CHECK_FALSE(verdicts.front().passed);
  CHECK(verdicts.front().measured == -1.0);
  for (const auto& [id, energy] : region.reserved)
    CHECK(id > 3);  // the first seed's three were all resolved
}

SCENARIO("a seed that neither helps nor harms is never passed", "[tactics]") {
  ScriptedRegion region;
  region.gain = [](const ScriptedSeed&) { return 0.0; };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 30);
  check_clean(region);
  CHECK(region.count(CommandKind::graft) == 0);
  REQUIRE_FALSE(region.verdicts("G2").empty());
  CHECK(region.verdicts("G2").front().reason == "no verdict within its trial");
}

SCENARIO("a seed that helps, but not enough for its rent, is culled by G5", "[tactics]") {
  ScriptedRegion region;
  region.settings.gates.rent_per_thousand_parameters = 1;
  region.gain = [](const ScriptedSeed&) { return 0.15; };  // rent of 200 parameters: 0.2
  Tactics tactics = scripted_tactics(region.settings);
  region.run(tactics, 45);
  check_clean(region);
  CHECK(region.count(CommandKind::fossilise) == 0);
  REQUIRE_FALSE(region.verdicts("G5").empty());
  const GateVerdict verdict = region.verdicts("G5").front();
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.measured == Approx(0.15));
  CHECK(verdict.threshold == Approx(0.2));
}

SCENARIO("no energy, no lease: nothing germinates and nothing is commanded", "[tactics]") {
  GIVEN("a mint of 0") {
    ScriptedRegion region;
    region.lease_energy = 0;
    Tactics tactics = scripted_tactics();
    region.run(tactics, 30);
    check_clean(region);
    CHECK(region.count(CommandKind::germinate) == 0);
    CHECK(region.parts.back().report.asked > Energy{0});
    CHECK(region.parts.back().report.refused > Energy{0});
  }
  GIVEN("no lease at all") {
    ScriptedRegion region;
    region.cycles_granted = 0;
    Tactics tactics = scripted_tactics();
    region.run(tactics, 30);
    for (const RegionPart& part : region.parts) CHECK(part.commands.empty());
  }
  GIVEN("a lease that is not renewed while a seed is on trial") {
    ScriptedRegion region;
    region.cycles_granted = 1;
    Tactics tactics = scripted_tactics();
    region.run(tactics, 40);
    check_clean(region);
    CHECK(region.count(CommandKind::germinate) >= 1);
    for (std::size_t i = 8; i < region.parts.size(); ++i) CHECK(region.parts[i].commands.empty());
  }
}

SCENARIO("noise in a region raises its price and stays its hand", "[tactics]") {
  const auto asked_with = [](double sigma) {
    ScriptedRegion region;
    region.lease_energy = 0;
    region.spoil = [=](RegionTelemetry& seen) {
      if (seen.window.value > 4) seen.loss_sigma = sigma;
    };
    Tactics tactics = scripted_tactics();
    region.run(tactics, 6);
    return region.parts.back().report.asked;
  };
  CHECK(asked_with(0.15) > asked_with(0.1));
  CHECK(asked_with(0.2) > asked_with(0.15));
  ScriptedRegion shaken;
  shaken.spoil = [](RegionTelemetry& seen) { seen.jitter = 0.2; };
  Tactics tactics = scripted_tactics();
  shaken.run(tactics, 20);
  CHECK(shaken.count(CommandKind::germinate) == 0);
}

SCENARIO("what is not affordable is proposed, and an approved seed carries its conditions",
         "[tactics]") {
  ScriptedRegion region;
  region.lease_energy = 5;
  GIVEN("a strategist that denies") {
    Tactics tactics = scripted_tactics();
    region.run(tactics, 25);
    check_clean(region);
    CHECK(region.count(CommandKind::germinate) == 0);
    std::size_t proposals = 0;
    for (const RegionPart& part : region.parts) proposals += part.proposals.size();
    CHECK(proposals >= 3);
    CHECK(proposals <= 5);  // at most one a cycle
  }
  GIVEN("one that approves") {
    region.approves = true;
    Tactics tactics = scripted_tactics();
    region.run(tactics, 45);
    check_clean(region);
    REQUIRE(region.count(CommandKind::germinate) >= 1);
    bool seen = false;
    for (const RegionPart& part : region.parts)
      for (const AdaptationCommand& command : part.commands)
        if (command.kind == CommandKind::germinate) {
          seen = true;
          CHECK(command.mitigations.alpha_stages.front() == 0.125);
          CHECK(command.mitigations.clip_norm == 0.5);
        }
    CHECK(seen);
    std::vector<RealisedReturn> returns;
    for (const RegionPart& part : region.parts)
      returns.insert(returns.end(), part.report.returns.begin(), part.report.returns.end());
    REQUIRE_FALSE(returns.empty());
    CHECK(returns.front().proposal == 1);
    CHECK(returns.front().realised_gain == Approx(0.05));
    CHECK(returns.front().predicted_gain > 0);
  }
}

SCENARIO("G3 holds, undoes and gives up", "[tactics]") {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics();
  REQUIRE(run_until(region, tactics, CommandKind::advance));
  WHEN("the region's loss rises a lot") {
    region.spoil = [](RegionTelemetry& seen) { seen.loss_mean = 1.2; };
    region.run(tactics, 2);
    THEN("the graft is rolled back") {
      check_clean(region);
      CHECK(region.count(CommandKind::roll_back) == 1);
      CHECK(region.verdicts("G3").front().measured == Approx(1.2));
    }
  }
  WHEN("it rises a little") {
    region.spoil = [](RegionTelemetry& seen) {
      seen.loss_sigma = 0.01;
      seen.loss_mean = 1.045;
    };
    region.run(tactics, 16);
    THEN("alpha is held, and past the longest ramp the seed is culled") {
      check_clean(region);
      CHECK(region.count(CommandKind::hold) >= 1);
      CHECK(region.count(CommandKind::stabilise) == 0);
      CHECK(region.count(CommandKind::cull) == 1);
    }
  }
  WHEN("its own counterfactual worsens") {
    region.gain = [](const ScriptedSeed& seed) {
      return seed.stage == Stage::grafting ? -0.2 : 0.05;
    };
    region.run(tactics, 2);
    THEN("it is rolled back with that number") {
      check_clean(region);
      CHECK(region.count(CommandKind::roll_back) == 1);
      CHECK(region.verdicts("G3").front().threshold == region.settings.gates.stage_loss_max);
    }
  }
}

SCENARIO("a crisis with a seed on the graph escapes and culls, and without one it is escalated",
         "[tactics]") {
  const auto alarm = [](RegionTelemetry& seen) { seen.jitter = seen.drift = 1; };
  GIVEN("a seed on its ramp") {
    ScriptedRegion region;
    Tactics tactics = scripted_tactics();
    REQUIRE(run_until(region, tactics, CommandKind::advance));
    region.spoil = alarm;
    region.run(tactics, 4);
    check_clean(region);
    CHECK(region.count(CommandKind::escape) >= 1);
    CHECK(region.count(CommandKind::cull) >= 1);
    CHECK(region.parts.back().report.in_crisis);
    CHECK(region.parts.back().report.asked == Energy{0});
  }
  GIVEN("none") {
    ScriptedRegion region;
    region.lease_energy = 0;
    region.spoil = alarm;
    Tactics tactics = scripted_tactics();
    region.run(tactics, 3);
    CHECK(region.parts[0].escalations.empty());
    CHECK(region.parts[1].escalations.size() == 1);
    CHECK(region.parts[2].escalations.empty());
  }
}

SCENARIO("a reflex costs the seed its place, and a silent executor costs only the ramp",
         "[tactics]") {
  for (const bool silent : {false, true}) {
    ScriptedRegion region;
    Tactics tactics = scripted_tactics();
    REQUIRE(run_until(region, tactics, CommandKind::advance));
    for (ScriptedSeed& seed : region.seeds) escape(seed.ramp);
    RegionTurn turn = region.next();
    for (SeedTelemetry& seen : turn.telemetry.seeds) seen.alpha = 0;
    Outcome reflex;
    reflex.reflex = true;
    reflex.cause = silent ? "executor_silent" : "loss_spike";
    for (const ScriptedSeed& seed : region.seeds)
      if (seed.stage == Stage::grafting) reflex.seed = seed.seed;
    turn.outcomes.push_back(reflex);
    for (ScriptedSeed& seed : region.seeds) escape(seed.ramp);
    region.take(decide(tactics, turn, {1}));
    region.run(tactics, 14);
    check_clean(region);
    CAPTURE(silent);
    const auto commanded = [&](CommandKind kind) {
      for (const RegionPart& part : region.parts)
        for (const AdaptationCommand& command : part.commands)
          if (command.kind == kind && command.seed == reflex.seed) return true;
      return false;
    };
    CHECK(commanded(CommandKind::cull) != silent);
    CHECK(commanded(CommandKind::stabilise) == silent);
  }
}

SCENARIO("a refused germination returns its energy and is not tried again at once", "[tactics]") {
  ScriptedRegion region;
  region.refuse = [](const AdaptationCommand& command) {
    return command.kind == CommandKind::germinate ? CommandRefusal::limit_seeds
                                                  : CommandRefusal::none;
  };
  Tactics tactics = scripted_tactics();
  region.run(tactics, 12);
  check_clean(region);
  CHECK(region.count(CommandKind::germinate) >= 1);
  CHECK(region.count(CommandKind::germinate) <= 6);
  CHECK(region.spent == 0);
}

SCENARIO("a price that rose between germination and graft is paid or waited for", "[tactics]") {
  const auto dearer = [](RegionTelemetry& seen) {
    for (SeedTelemetry& seed : seen.seeds) seed.relative_norm = 1;
  };
  GIVEN("a lease with room") {
    ScriptedRegion region;
    region.spoil = dearer;
    Tactics tactics = scripted_tactics();
    region.run(tactics, 14);
    check_clean(region);
    CHECK(region.count(CommandKind::graft) >= 1);
  }
  for (const bool helped : {false, true}) {
    CAPTURE(helped);
    ScriptedRegion region;
    region.settings.gates.updates_min = 90;  // so that the trial outlasts the lease
    region.spoil = dearer;
    region.safety = helped ? 1'000 : 0;
    Tactics tactics = scripted_tactics(region.settings);
    REQUIRE(run_until(region, tactics, CommandKind::germinate));
    region.lease_energy = 0;
    region.run(tactics, 24);
    check_clean(region);
    CHECK((region.count(CommandKind::graft) > 0) == helped);
    bool asked = false;
    for (const RegionPart& part : region.parts)
      for (const Movement& movement : part.report.movements)
        asked = asked || movement.kind == MovementKind::top_up;
    CHECK(asked);
  }
}

}  // namespace
}  // namespace esper
