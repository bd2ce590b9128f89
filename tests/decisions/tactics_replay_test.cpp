// The same turns make the same mind, whatever the numbers and whoever died in between.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <memory>
#include <set>

#include "messages/json.hpp"
#include "tests/decisions/disturb.hpp"
#include "tests/decisions/scripted_region.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

struct Run {
  ScriptedRegion region;
  std::vector<bool> present;
  std::string text;
};

Run wild_run(std::uint64_t seed) {
  Run run;
  auto stream = std::make_shared<RandomStream>(seed, "wild");
  ScriptedRegion& region = run.region;
  const std::uint64_t rarity = 3 + stream->below(200);
  region.settings.seed = seed;
  region.lease_energy = static_cast<std::int64_t>(stream->below(400));
  region.approves = stream->below(2) == 0;
  region.safety = static_cast<std::int64_t>(stream->below(100));
  region.pool = static_cast<std::int64_t>(stream->below(600));
  region.checkpoints = true;
  // Spells of trouble, so that scaffolds come and go.
  const std::uint64_t spell = 5 + stream->below(20);
  region.spoil = [=](RegionTelemetry& seen) {
    if (seen.window.value / spell % 2 == 1) seen.jitter = seen.drift = 1;
    disturb(seen, *stream, rarity);
  };
  region.gain = [=](const ScriptedSeed&) { return stream->uniform() * 0.2 - 0.05; };
  region.refuse = [=](const AdaptationCommand&) {
    // Any but those that would be lies about the seed's stage or presence.
    constexpr CommandRefusal honest[]{
        CommandRefusal::old_epoch,         CommandRefusal::lease_expired,
        CommandRefusal::observe_only,      CommandRefusal::limit_parameters,
        CommandRefusal::limit_seeds,       CommandRefusal::limit_overhead,
        CommandRefusal::unknown_blueprint, CommandRefusal::not_foldable,
        CommandRefusal::output_changed,    CommandRefusal::fault};
    return stream->below(12) == 0 ? honest[stream->below(std::size(honest))] : CommandRefusal::none;
  };
  Tactics tactics = scaffold_tactics(region.settings);
  for (int window = 0; window < 80; ++window) {
    region.reclaims = stream->below(40) == 0;
    if (stream->below(12) == 0)
      region.counsel = Counsel{{0},
                               static_cast<Tactic>(stream->below(2)),
                               stream->below(2) == 0 ? "folding" : "weaning",
                               {static_cast<std::uint64_t>(window) + stream->below(8)},
                               {}};
    const RegionTurn turn = region.next();
    run.present.push_back(stream->below(15) != 0);
    if (!run.present.back()) {
      miss(tactics, turn);
      region.take_absence();
      continue;
    }
    const RegionPart part = decide(tactics, turn, {1});
    run.text += canonical(part) + '\n';
    region.late = stream->below(9) == 0 ? static_cast<std::uint32_t>(1 + stream->below(4)) : 0;
    region.take(part);
  }
  return run;
}

SCENARIO("whatever is measured, tactics keep the rules and replay to the same parts",
         "[tactics][replay]") {
  CHECK(rc::check("no throw, no illegal or second command, nothing unpaid, equal replay", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const Run run = wild_run(seed);
    for (const std::string& wrong : run.region.wrongs) RC_FAIL(wrong);
    Tactics again = scaffold_tactics(run.region.settings);
    std::string text;
    for (std::size_t i = 0; i < run.present.size(); ++i) {
      if (run.present[i])
        text += canonical(decide(again, run.region.turns[i], {1})) + '\n';
      else
        miss(again, run.region.turns[i]);
    }
    RC_ASSERT(text == run.text);
  }));
}

SCENARIO("another seed chooses differently", "[tactics][replay]") {
  std::set<std::string> chosen;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    ScriptedRegion region;
    region.settings.seed = seed;
    Tactics tactics = scripted_tactics(region.settings);
    region.run(tactics, 6);
    for (const RegionPart& part : region.parts)
      for (const AdaptationCommand& command : part.commands) chosen.insert(command.blueprint);
  }
  CHECK(chosen.size() > 1);
}

SCENARIO("a mind rebuilt from the recorded turns decides as the one that died",
         "[tactics][restart]") {
  for (std::uint32_t died = 1; died <= 40; ++died) {
    ScriptedRegion region;
    Tactics before = scripted_tactics();
    region.run(before, died);
    Tactics rebuilt = scripted_tactics();
    for (const RegionTurn& turn : region.turns) (void)decide(rebuilt, turn, {1});
    const RegionTurn turn = region.next();
    CAPTURE(died);
    CHECK(canonical(decide(before, turn, {1})) == canonical(decide(rebuilt, turn, {1})));
  }
}

SCENARIO("killed at any window, a region comes back to its seeds, its lease and its reservations",
         "[tactics][restart]") {
  // `lost`: what it had commanded in its last turn died with it, unanswered.
  for (const auto& [missed, lost] : {std::pair{false, false}, {true, false}, {false, true}})
    for (std::uint32_t died = 1; died <= 40; ++died) {
      ScriptedRegion region;
      Tactics first = scripted_tactics();
      region.run(first, died - 1);
      region.executes = !lost;
      region.run(first, 1);
      region.executes = true;
      region.fence({2});
      Tactics second = scripted_tactics();
      for (const RegionTurn& turn : region.turns) (void)decide(second, turn, {1});
      if (missed) {
        miss(second, region.next());
        region.take_absence();
      }
      const RegionTurn turn = region.next();
      const auto truth = region.read_back();
      const RegionPart part = decide(second, turn, {2}, truth);
      region.take(part);
      CAPTURE(missed, lost, died);
      CHECK(part.read_back.size() == truth.size());
      for (const SeedPlan& plan : second.plans)
        for (const ScriptedSeed& seed : region.seeds)
          if (seed.seed == plan.seed) CHECK(seed.stage == plan.stage);
      std::int64_t reserved = 0;
      for (const auto& [id, energy] : region.reserved) reserved += energy;
      CHECK(part.report.forecast == Energy{reserved});
      region.run(second, 45, {2});
      for (const std::string& wrong : region.wrongs) FAIL_CHECK(wrong);
      CHECK(region.count(CommandKind::fossilise) >= 1);
      CHECK(region.count(CommandKind::cull) == 0);
    }
}

SCENARIO("a seed that nobody paid for is taken in only to be culled", "[tactics][restart]") {
  ScriptedRegion region;
  Tactics first = scripted_tactics();
  region.run(first, 6);
  REQUIRE_FALSE(region.seeds.empty());
  Tactics forgetful = scripted_tactics();
  RegionTurn turn = region.next();
  turn.answers.allocation = Allocation{{0}, {1}, {0}, {100}};
  const RegionPart part = decide(forgetful, turn, {2}, region.read_back());
  REQUIRE_FALSE(part.commands.empty());
  CHECK(part.commands.front().kind == CommandKind::cull);
}

}  // namespace
}  // namespace esper
