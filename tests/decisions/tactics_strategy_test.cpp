// The region's book and the strategist's ledger, side by side: what one moves, the other repeats.
#include <catch2/catch.hpp>

#include "actors/decisions/strategy.hpp"
#include "tests/decisions/scripted_region.hpp"

namespace esper {
namespace {

StrategySettings strategy_settings(const TacticsSettings& tactics, std::int64_t mint) {
  StrategySettings settings;
  settings.budget = tactics.budget;
  settings.budget.mint_per_region = mint;
  settings.gates = tactics.gates;
  settings.time = tactics.time;
  settings.regions = 1;
  return settings;
}

SCENARIO("the ledger refuses nothing that a region's book moves", "[tactics][strategy]") {
  for (const std::int64_t mint : {0, 60, 150, 400})
    for (const double gain : {0.05, -0.5}) {
      CAPTURE(mint, gain);
      ScriptedRegion region;
      region.gain = [=](const ScriptedSeed&) { return gain; };
      region.spoil = [](RegionTelemetry& seen) {
        for (SeedTelemetry& seed : seen.seeds) seed.relative_norm = 0.9;  // every price rises
      };
      region.strategist = Answers{};
      Tactics tactics = scripted_tactics(region.settings);
      Strategy strategy{strategy_settings(region.settings, mint)};
      for (int window = 0; window < 90; ++window) {
        const RegionTurn turn = region.next();
        const RegionPart part = decide(tactics, turn, {1});
        region.take(part);
        const StrategyPart answer =
            decide(strategy, turn.window, {1}, {part.report}, part.proposals);
        CAPTURE(window);
        // A safety reserve may be empty; every other refusal means that the two books differ.
        for (const std::string& refused : answer.refused)
          if (refused.find("top_up") == std::string::npos) FAIL_CHECK(refused);
        REQUIRE(strategy.ledger.conserves_energy());
        REQUIRE(answer.answers.size() == 1);
        region.strategist = answer.answers.front();
        CHECK(answer.balance.spent == Energy{region.spent});
      }
      for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
      if (mint == 0) CHECK(region.count(CommandKind::germinate) == 0);
      if (mint >= 150) CHECK(region.count(CommandKind::germinate) > 0);
      if (mint >= 150 && gain > 0) CHECK(region.count(CommandKind::fossilise) > 0);
    }
}

}  // namespace
}  // namespace esper
