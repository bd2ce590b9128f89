#include <catch2/catch.hpp>

#include "tests/decisions/scripted_region.hpp"

namespace esper {
namespace {

SCENARIO("a group of branch slots is one plot with one price", "[tactics]") {
  HostDescription host = scripted_host();
  for (std::uint32_t index : {0U, 1U}) {
    host.slots[index].kind = SlotKind::branch;
    host.slots[index].group = "front";
  }
  const Tactics tactics{RegionId{0}, scripted_settings(), host, scripted_catalogue()};
  REQUIRE(tactics.plots.size() == 1);
  CHECK(tactics.plots[0].members == std::vector<SlotId>{{0}, {1}});
  REQUIRE(tactics.candidates.size() == 3);
  CHECK(tactics.candidates[0].parameters == 400);
  CHECK(tactics.candidates[0].downstream == 0.8);
}

SCENARIO("without a sheet, quarantined, or a scaffold: not germinated", "[tactics]") {
  Catalogue catalogue = scripted_catalogue();
  SECTION("no sheet") { catalogue.sheets.clear(); }
  SECTION("quarantined") {
    for (RiskSheet& sheet : catalogue.sheets) sheet.quarantined = true;
  }
  SECTION("scaffolds only") {
    for (Blueprint& blueprint : catalogue.blueprints)
      blueprint.blueprint_class = BlueprintClass::scaffold;
  }
  ScriptedRegion region;
  Tactics tactics{RegionId{0}, region.settings, scripted_host(), catalogue};
  region.run(tactics, 12);
  CHECK(region.count(CommandKind::germinate) == 0);
  CHECK(region.parts.back().report.asked == Energy{0});
}

SCENARIO("a design that disappointed is asked for less", "[tactics]") {
  ScriptedRegion region;
  region.gain = [](const ScriptedSeed& seed) { return seed.blueprint == "low" ? 0.05 : -1.0; };
  Tactics tactics = scripted_tactics(region.settings);
  region.run(tactics, 80);
  for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
  for (const ScriptedSeed& seed : region.seeds)
    if (seed.stage == Stage::fossilised) CHECK(seed.blueprint == "low");
  CHECK(region.count(CommandKind::fossilise) == 2);
}

}  // namespace
}  // namespace esper
