// The region's book and the strategist's ledger, side by side: what one moves, the other repeats.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "tests/decisions/region_and_bank.hpp"

namespace esper {
namespace {

/// A safety reserve may be empty; every other refusal means that the two books differ.
std::string disagreement(const StrategyPart& answer) {
  for (const std::string& refused : answer.refused)
    if (refused.find("top_up") == std::string::npos) return refused;
  return {};
}

SCENARIO("the ledger refuses nothing that a region's book moves", "[tactics][strategy]") {
  for (const std::int64_t mint : {0, 60, 150, 400})
    for (const double gain : {0.05, -0.5}) {
      CAPTURE(mint, gain);
      RegionAndBank both{mint, scripted_settings()};
      both.region.gain = [=](const ScriptedSeed&) { return gain; };
      both.region.spoil = [](RegionTelemetry& seen) {
        for (SeedTelemetry& seed : seen.seeds) seed.relative_norm = 0.9;  // every price rises
      };
      for (int window = 0; window < 90; ++window) {
        const StrategyPart answer = both.turn();
        CAPTURE(window);
        CHECK(disagreement(answer).empty());
        REQUIRE(both.strategy.ledger.conserves_energy());
        CHECK(answer.balance.spent == Energy{both.region.spent});
      }
      for (const std::string& wrong : both.region.wrongs) FAIL_CHECK(wrong);
      if (mint == 0) CHECK(both.region.count(CommandKind::germinate) == 0);
      if (mint >= 150) CHECK(both.region.count(CommandKind::germinate) > 0);
      if (mint >= 150 && gain > 0) CHECK(both.region.count(CommandKind::fossilise) > 0);
    }
}

SCENARIO("LEDGER-1 and LEDGER-2 hold while region and bank die and come back",
         "[tactics][strategy][restart][LEDGER-1][LEDGER-2]") {
  std::size_t fossilised = 0;
  CHECK(rc::check("deaths at any window", [&] {
    RandomStream stream{*rc::gen::arbitrary<std::uint64_t>(), "deaths"};
    RegionAndBank both{static_cast<std::int64_t>(stream.below(400)), scripted_settings()};
    ScriptedRegion& region = both.region;
    region.gain = [&](const ScriptedSeed&) { return stream.below(8) == 0 ? -0.1 : 0.05; };
    region.spoil = [&](RegionTelemetry& seen) {
      for (SeedTelemetry& seed : seen.seeds) seed.relative_norm = 0.5 + 0.5 * stream.uniform();
    };
    StrategyPart answer;
    std::optional<std::vector<SeedStatus>> read_back;
    for (int window = 0; window < 70; ++window) {
      const std::uint64_t fate = stream.below(14);
      region.late = stream.below(8) == 0 ? 1 : 0;
      if (fate == 0) {
        both.turn_without_bank(read_back);
        read_back.reset();
        ++both.bank_epoch.value;
      } else if (fate == 1) {
        // Dead; until it has read back, it decides nothing.
        both.epoch = {both.epoch.value + 1};
        region.fence(both.epoch);
        answer = both.turn_without_region();
        read_back = region.read_back();
        std::erase_if(*read_back,
                      [](const SeedStatus& one) { return one.stage == Stage::dormant; });
      } else {
        answer = both.turn(read_back);
        read_back.reset();
      }
      RC_ASSERT(disagreement(answer) == std::string{});
      RC_ASSERT(both.strategy.ledger.conserves_energy());
      RC_ASSERT(both.strategy.ledger.balance().spent == Energy{region.spent});
    }
    for (const std::string& wrong : region.wrongs) RC_FAIL(wrong);
    fossilised += region.count(CommandKind::fossilise);
  }));
  CHECK(fossilised > 0);
}

}  // namespace
}  // namespace esper
