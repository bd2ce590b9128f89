// What a seed's way through its stages does to the energy set aside for it.
#include <catch2/catch.hpp>

#include "tests/decisions/region_and_bank.hpp"

namespace esper {
namespace {

void check_clean(const ScriptedRegion& region) {
  for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
}

std::uint64_t number_of(SeedId seed) { return seed.value % (std::uint64_t{1} << 40); }

bool stands_in(const Tactics& tactics, std::uint64_t number, Stage stage) {
  for (const SeedPlan& plan : tactics.plans)
    if (number_of(plan.seed) == number && plan.stage == stage) return true;
  return false;
}

SCENARIO("a slow seed's energy does not expire while its outcomes come", "[tactics][strategy]") {
  TacticsSettings settings = scripted_settings();
  settings.gates.ramp_windows_max = settings.gates.verdict_windows_max = 18;
  settings.gates.stable_windows = 14;
  RegionAndBank both{400, settings};
  // Each ramp is held for a while: 12 windows and more, then 14 of stability.
  both.region.spoil = [&](RegionTelemetry& seen) {
    for (const SeedPlan& plan : both.tactics.plans)
      if (plan.stage == Stage::grafting && seen.window.value < plan.since.value + 10) {
        seen.loss_sigma = 0.01;
        seen.loss_mean = 1.03;
      }
  };
  Window grafted{};
  Window fossilised{};
  for (int window = 0; window < 60 && fossilised.value == 0; ++window) {
    CHECK(both.turn().answers.front().expired.empty());
    for (const AdaptationCommand& command : both.region.parts.back().commands) {
      if (command.kind == CommandKind::graft && grafted.value == 0)
        grafted = both.region.turns.back().window;
      if (command.kind == CommandKind::fossilise) fossilised = both.region.turns.back().window;
    }
  }
  check_clean(both.region);
  CHECK(fossilised > grafted + settings.budget.reservation_windows);
}

SCENARIO("a seed that no outcome comes for expires after twenty windows and is culled",
         "[tactics][strategy]") {
  RegionAndBank both{400, scripted_settings()};
  // On trial for ever: nothing is measured, and the trial is longer than a reservation's life.
  both.region.settings.gates.trial_windows_max = both.tactics.settings.gates.trial_windows_max =
      100;
  both.region.spoil = [](RegionTelemetry& seen) {
    for (SeedTelemetry& seed : seen.seeds) seed.gate = {};
  };
  Window germinated{};
  Window expired{};
  for (int window = 0; window < 40 && expired.value == 0; ++window) {
    const StrategyPart answer = both.turn();
    if (germinated.value == 0)
      for (const Movement& movement : both.region.parts.back().report.movements)
        if (movement.kind == MovementKind::settle) germinated = both.region.turns.back().window;
    if (!answer.answers.front().expired.empty()) expired = both.region.turns.back().window;
  }
  CHECK(expired == germinated + both.tactics.settings.budget.reservation_windows);
  CHECK(both.region.count(CommandKind::cull) == 0);
  (void)both.turn();
  CHECK(both.region.count(CommandKind::cull) >= 1);
  CHECK(both.strategy.ledger.conserves_energy());
}

/// `windows_before`: from the first seed's graft to the alarm; in every other window its next stage
/// is due.
void alarm_after(std::uint32_t windows_before) {
  CAPTURE(windows_before);
  ScriptedRegion region;
  region.settings.gates.stable_windows = 8;
  region.settings.gates.trial_windows_max = 20;
  bool alarm = false;
  Tactics tactics = scripted_tactics(region.settings);
  // The first seed proves itself late, so that it ramps while the second is stabilising.
  region.gain = [&](const ScriptedSeed& seed) {
    const bool first = number_of(seed.seed) == 1;
    return first && !stands_in(tactics, 2, Stage::stabilising) && seed.stage < Stage::grafting
               ? 0.0
               : 0.05;
  };
  region.spoil = [&](RegionTelemetry& seen) {
    if (alarm) seen.jitter = seen.drift = 1;
  };
  for (int window = 0; window < 40 && !(stands_in(tactics, 1, Stage::grafting) &&
                                        stands_in(tactics, 2, Stage::stabilising));
       ++window)
    region.run(tactics, 1);
  REQUIRE(stands_in(tactics, 1, Stage::grafting));
  region.run(tactics, windows_before);
  REQUIRE(stands_in(tactics, 2, Stage::stabilising));
  alarm = true;
  const std::size_t before = region.parts.size();
  region.run(tactics, 2);
  alarm = false;  // so that it is the escape, and no second crisis, that takes the older seed
  region.run(tactics, 3);
  for (std::size_t turn = before + 1; turn < region.parts.size(); ++turn)
    for (const AdaptationCommand& command : region.parts[turn].commands) {
      CAPTURE(turn, name_of(command.kind));
      CHECK((command.kind == CommandKind::escape || command.kind == CommandKind::cull ||
             command.kind == CommandKind::roll_back));
    }
  check_clean(region);
  CHECK(region.count(CommandKind::escape) >= 1);
  CHECK(region.count(CommandKind::cull) == 2);
  CHECK(tactics.plans.empty());
  CHECK(region.reserved.empty());
}

SCENARIO("an escape costs each seed in its path its place, and voids what was set aside for it",
         "[tactics]") {
  alarm_after(0);
  alarm_after(1);
}

SCENARIO("a seed that nobody paid for keeps its number to itself", "[tactics][restart]") {
  ScriptedRegion region;
  Tactics first = scripted_tactics();
  region.run(first, 6);
  REQUIRE_FALSE(region.seeds.empty());
  Tactics forgetful = scripted_tactics();
  RegionTurn turn = region.next();
  (void)decide(forgetful, turn, {2}, region.read_back());
  for (const ScriptedSeed& seed : region.seeds) CHECK(forgetful.next_seed > number_of(seed.seed));
}

}  // namespace
}  // namespace esper
