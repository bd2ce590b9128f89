// A region in trouble asks for a scaffold, plants what it is granted, pays for it, and is told what
// else to try.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "tests/decisions/disturb.hpp"
#include "tests/decisions/scripted_rescue.hpp"

namespace esper {
namespace {

SCENARIO("in crisis a region asks for the scaffold that can be folded away, with the bands it left",
         "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.until(CommandKind::germinate);
  REQUIRE(rescue.requests().size() == 1);
  const ScaffoldRequest request = rescue.requests().front();
  CHECK(request.blueprint == "folding");
  CHECK(request.slot == SlotId{0});
  CHECK(request.bands_left == 2);
  CHECK(request.reason == "out of band: jitter drift");
  // risk 0.2 * downstream 0.8 * (0.5 * 0.5 + 0.3 * 0.2 + 0.2 on the graph), in thousandths
  CHECK(request.ask == Energy{82});
  const AdaptationCommand& given = rescue.region.parts.back().commands.front();
  CHECK(given.blueprint == "folding");
  CHECK_FALSE(given.reservation.has_value());
  CHECK(given.price == Energy{4});  // 82 over 24 windows, rounded up
  CHECK(rescue.region.parts.back().report.scaffolds == 1);
  CHECK(rescue.region.parts.back().escalations.empty());
}

SCENARIO("without a crisis no scaffold is ever asked for", "[tactics][scaffold]") {
  CHECK(rc::check("any telemetry with at most one band left", [] {
    RandomStream stream{*rc::gen::arbitrary<std::uint64_t>(), "calm"};
    ScriptedRescue rescue{scripted_settings(), false};
    ScriptedRegion& region = rescue.region;
    region.lease_energy = static_cast<std::int64_t>(stream.below(400));
    region.gain = [&](const ScriptedSeed&) { return stream.uniform() * 0.2 - 0.05; };
    region.spoil = [&](RegionTelemetry& seen) {
      const double wild = odd_number(stream, 2);
      switch (stream.below(6)) {
        case 0:
          seen.jitter = wild;
          break;
        case 1:
          seen.drift = wild;
          break;
        case 2:
          seen.diversity = wild;
          break;
        case 3:
          seen.signal_rms = wild;
          break;
        case 4:
          seen.signal_gradient = wild;
          break;
        default:
          seen.loss_sigma = 0.1 + stream.uniform();
      }
    };
    region.run(rescue.tactics, 60);
    RC_ASSERT(rescue.requests().empty());
    for (const RegionPart& part : region.parts) RC_ASSERT(part.report.scaffolds == 0U);
    for (const std::string& wrong : region.wrongs) RC_FAIL(wrong);
  }));
}

SCENARIO("switched off, a region in crisis only says so", "[tactics][scaffold]") {
  TacticsSettings settings = scripted_settings();
  settings.scaffolds.enabled = false;
  ScriptedRescue rescue{settings};
  rescue.region.run(rescue.tactics, 20);
  CHECK(rescue.requests().empty());
  REQUIRE_FALSE(rescue.escalations().empty());
  CHECK(rescue.escalations().front().left == std::vector<std::string>{"folding", "weaning"});
}

SCENARIO("an empty pool is asked again only when it said", "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.region.pool = 0;
  rescue.region.run(rescue.tactics, 18);
  rescue.check_clean();
  // Asked in 9, refused in 10 until 14, and so on.
  REQUIRE(rescue.requests().size() == 2);
  CHECK(rescue.requests()[0].window == Window{9});
  CHECK(rescue.requests()[1].window == Window{14});
  CHECK(rescue.region.count(CommandKind::germinate) == 0);
  CHECK_FALSE(rescue.escalations().empty());
}

SCENARIO("a grant that comes after the crisis goes back whole", "[tactics][scaffold]") {
  ScriptedRescue rescue;
  while (rescue.requests().empty()) rescue.region.run(rescue.tactics, 1);
  rescue.cured = true;
  rescue.region.run(rescue.tactics, 2);
  rescue.check_clean();
  CHECK(rescue.region.count(CommandKind::germinate) == 0);
  CHECK(rescue.region.granted() == 82);
  CHECK(rescue.region.returned() == 82);
}

SCENARIO("a growth seed on trial keeps its plot, and the scaffold goes elsewhere",
         "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.region.lease_energy = 500;
  rescue.region.refuse = [](const AdaptationCommand& command) {
    return command.kind == CommandKind::germinate && command.slot == SlotId{1} &&
                   command.reservation
               ? CommandRefusal::limit_parameters
               : CommandRefusal::none;
  };
  rescue.region.run(rescue.tactics, 5);
  REQUIRE(rescue.tactics.plans.size() == 1);
  REQUIRE(rescue.tactics.plots[rescue.tactics.plans[0].plot].slot == SlotId{0});
  rescue.ill_from = 6;
  rescue.until_asked();
  CHECK(rescue.requests().front().slot == SlotId{1});
}

SCENARIO("while a scaffold stands nothing is grown", "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.until(CommandKind::graft);
  rescue.region.lease_energy = 500;
  rescue.region.approves = true;
  for (int window = 0; window < 60 && rescue.region.count(CommandKind::retire) == 0; ++window) {
    rescue.region.run(rescue.tactics, 1);
    const RegionPart& part = rescue.region.parts.back();
    CHECK(part.report.scaffolds == 1);
    CHECK(part.report.asked == Energy{0});
    CHECK(part.proposals.empty());
  }
  REQUIRE(rescue.region.count(CommandKind::retire) == 1);
  CHECK(rescue.region.count(CommandKind::germinate) == 1);
  rescue.region.run(rescue.tactics, 8);
  rescue.check_clean();
  CHECK(rescue.region.count(CommandKind::germinate) > 1);
  CHECK(rescue.region.parts.back().report.scaffolds == 0);
}

SCENARIO("counsel to rest is kept to the window", "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.region.pool = 0;
  rescue.until_asked();
  rescue.region.pool = 1'000;
  rescue.region.counsel = Counsel{{0}, Tactic::rest, {}, {20}, "rest"};
  rescue.region.lease_energy = 500;
  rescue.region.run(rescue.tactics, 10);
  rescue.check_clean();
  REQUIRE(rescue.region.turns.size() == 19);
  CHECK(rescue.requests().size() == 1);
  CHECK(rescue.region.count(CommandKind::germinate) == 0);
  rescue.region.run(rescue.tactics, 1);
  CHECK(rescue.requests().size() == 2);
}

SCENARIO("a region counselled to rest grows nothing either", "[tactics][scaffold]") {
  ScriptedRescue rescue{scripted_settings(), false};
  rescue.region.lease_energy = 500;
  rescue.region.counsel = Counsel{{0}, Tactic::rest, {}, {12}, "rest"};
  rescue.region.run(rescue.tactics, 11);
  CHECK(rescue.region.count(CommandKind::germinate) == 0);
  rescue.region.run(rescue.tactics, 2);
  CHECK(rescue.region.count(CommandKind::germinate) > 0);
}

SCENARIO("without success in its time it goes, and what is counselled comes next",
         "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.curable = false;
  rescue.until(CommandKind::wean);
  REQUIRE(rescue.escalations().size() == 1);
  CHECK(rescue.escalations()[0].tried == std::vector<std::string>{"folding"});
  CHECK(rescue.escalations()[0].left == std::vector<std::string>{"weaning"});
  const auto verdicts = rescue.region.verdicts("S1");
  REQUIRE(verdicts.size() == 1);
  CHECK_FALSE(verdicts[0].passed);
  CHECK(verdicts[0].threshold == 24);
  CHECK(verdicts[0].measured == 24);
  GIVEN("counsel to try another") {
    rescue.region.counsel = Counsel{{0}, Tactic::another_scaffold, "weaning", {}, "another"};
    rescue.until(CommandKind::retire);
    rescue.region.run(rescue.tactics, 4);
    rescue.check_clean();
    REQUIRE(rescue.requests().size() == 2);
    CHECK(rescue.requests()[1].blueprint == "weaning");
  }
  GIVEN("counsel to try what has just failed") {
    rescue.region.counsel = Counsel{{0}, Tactic::another_scaffold, "folding", {}, "again"};
    rescue.until(CommandKind::retire);
    rescue.region.run(rescue.tactics, 12);
    CHECK(rescue.requests().size() == 1);
    CHECK(rescue.escalations().size() > 1);
  }
  GIVEN("no counsel") {
    rescue.until(CommandKind::retire);
    rescue.region.run(rescue.tactics, 12);
    CHECK(rescue.requests().size() == 1);
    CHECK(rescue.escalations().size() > 1);
  }
}

SCENARIO("energy taken back sends the scaffold away, and nothing more is drawn",
         "[tactics][scaffold]") {
  ScriptedRescue rescue;
  rescue.until(CommandKind::stabilise);
  const std::int64_t drawn = rescue.region.drawn();
  CHECK(drawn > 0);
  rescue.region.reclaims = true;
  rescue.region.run(rescue.tactics, 2);
  REQUIRE_FALSE(rescue.region.verdicts("S1").empty());
  CHECK(rescue.region.verdicts("S1").front().reason == "its emergency energy was taken back");
  rescue.until(CommandKind::retire);
  rescue.region.run(rescue.tactics, 1);
  rescue.check_clean();
  CHECK(rescue.region.count(CommandKind::fold) == 0);
  CHECK(rescue.region.drawn() == drawn);
  CHECK(rescue.region.returned() == 0);
}

SCENARIO("channels cut from a slot are not counted any more", "[tactics][surgery]") {
  HostDescription host = scripted_host();
  host.tensors = {{"front.a", {8, 8}, 500}, {"front.b", {8, 8}, 300}, {"back.c", {8, 8}, 200}};
  host.coupled_groups = {{"front", {0}, 8, {{"front.a", 0, 1}, {"front.b", 1, 1}}, {{0}}}};
  host.regions[0].parameters = 128;
  host.regions[0].operations = 51'200;
  host.regions[1].parameters = 64;
  host.regions[1].operations = 12'800;
  host.parameters = 192;
  host.operations = 64'000;
  host.slots[0].operations_downstream = 32'000;
  host.slots[1].operations_downstream = host.slots[2].operations_downstream = 12'800;
  Catalogue catalogue = scaffold_catalogue();
  for (RiskSheet& sheet : catalogue.sheets)
    for (const Blueprint& blueprint : catalogue.blueprints)
      if (blueprint.name == sheet.blueprint) sheet.parameters = parameters_of(blueprint, 8);
  ScriptedRegion region;
  Tactics tactics{RegionId{0}, region.settings, host, catalogue};
  tactics.candidates[1].not_before = {99};
  REQUIRE(tactics.candidates[0].parameters == 16);
  REQUIRE(tactics.candidates[0].downstream == 0.5);
  RegionTurn turn = region.next();
  turn.surgeries.emplace_back();
  turn.surgeries[0].cuts = {{"front", {0, 2, 4, 6}}};
  WHEN("the surgery was refused") {
    turn.surgeries[0].refusal = SurgeryRefusal::harmful;
    (void)decide(tactics, turn, {1});
    CHECK(tactics.candidates[0].parameters == 16);
  }
  WHEN("it was kept") {
    (void)decide(tactics, turn, {1});
    CHECK(tactics.candidates[0].parameters == 8);
    CHECK(tactics.candidates[0].parameters_share == 8.0 / 64);
    CHECK(tactics.candidates[0].downstream == Approx(22'400.0 / 38'400));
    CHECK(tactics.candidates[1].not_before == Window{99});
    CHECK(tactics.scaffold_candidates[0].parameters == 8);
    CHECK(tactics.scaffold_candidates.size() == 4);
  }
}

}  // namespace
}  // namespace esper
