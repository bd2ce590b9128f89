// A scaffold teaches and leaves: folded, weaned, or without success, and never at anyone's expense.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "messages/json.hpp"
#include "tests/decisions/scripted_rescue.hpp"

namespace esper {
namespace {

std::vector<CommandKind> commands_of(const ScriptedRegion& region) {
  std::vector<CommandKind> kinds;
  for (const RegionPart& part : region.parts)
    for (const AdaptationCommand& command : part.commands) kinds.push_back(command.kind);
  return kinds;
}

void check_paid(const ScriptedRescue& rescue) {
  rescue.check_clean();
  CHECK(rescue.region.escrow() == 0);
  CHECK(rescue.region.drawn() > 0);
  CHECK(rescue.region.drawn() + rescue.region.returned() == rescue.region.granted());
}

SCENARIO("a scaffold that the host would miss is folded into it", "[tactics][sunset]") {
  using enum CommandKind;
  ScriptedRescue rescue;
  rescue.until(retire);
  rescue.region.run(rescue.tactics, 1);
  CHECK(commands_of(rescue.region) == std::vector<CommandKind>{germinate, graft, advance, advance,
                                                               advance, stabilise, freeze, fold,
                                                               retire});
  check_paid(rescue);
  std::vector<Window> exits;  // a whole window with still statistics lies between freeze and fold
  for (const RegionPart& part : rescue.region.parts)
    for (const AdaptationCommand& command : part.commands)
      if (command.kind == freeze || command.kind == fold) exits.push_back(part.report.window);
  REQUIRE(exits.size() == 2);
  CHECK(exits[1] == exits[0] + 2);
  CHECK(rescue.region.returned() > 0);
  CHECK(rescue.tactics.plots[0].stage == Stage::dormant);
  CHECK(rescue.tactics.plans.empty());
  CHECK(rescue.region.parts.back().report.wins == 1);
  CHECK(rescue.escalations().empty());
  const auto told = [&](const char* gate) { return rescue.region.verdicts(gate).front(); };
  CHECK(told("G2").measured >= 10);
  CHECK(told("G3").passed);
  CHECK(told("S1").passed);
  CHECK(told("S1").measured == Approx(0.8));
  CHECK(told("S1").threshold == Approx(1.01));
  CHECK(told("S2").reason == "fold");
  CHECK(told("S2").measured == Approx(0.2));
  CHECK(told("S2").threshold == 0.01);
  CHECK(told("S3").passed);
}

SCENARIO("one that contributes little is weaned, stage by stage", "[tactics][sunset]") {
  ScriptedRescue rescue;
  rescue.contribution = 0.005;
  rescue.until(CommandKind::retire);
  rescue.region.run(rescue.tactics, 1);
  check_paid(rescue);
  CHECK(rescue.region.count(CommandKind::fold) == 0);
  CHECK(rescue.region.count(CommandKind::wean) == 4);
  CHECK(rescue.region.count(CommandKind::sunset) == 1);
  CHECK(rescue.region.verdicts("S2").front().reason == "wean");
  CHECK(rescue.region.verdicts("S2").front().measured == Approx(0.005));
  CHECK(rescue.escalations().empty());
  for (const RegionPart& part : rescue.region.parts)
    for (const AdaptationCommand& command : part.commands)
      if (command.kind == CommandKind::wean) {
        CHECK(command.mitigations.knowledge_distillation_weight == 0.5);
        CHECK(command.mitigations.anchor_weight == 1e-4);
        CHECK(command.mitigations.alpha_stages == rescue.region.settings.gates.alpha_stages);
      }
}

SCENARIO("where it cannot be folded it is weaned whatever it contributes", "[tactics][sunset]") {
  ScriptedRescue rescue;
  SECTION("its design is no linear one") {
    std::erase_if(rescue.tactics.scaffold_candidates,
                  [](const Candidate& one) { return one.blueprint == "folding"; });
  }
  SECTION("its plot stands beside no layer") {
    std::erase_if(rescue.tactics.scaffold_candidates,
                  [](const Candidate& one) { return one.foldable; });
  }
  SECTION("its design leaves by weaning alone") {
    for (Candidate& one : rescue.tactics.scaffold_candidates) one.exit = SunsetExit::wean;
  }
  rescue.until(CommandKind::wean);
  rescue.check_clean();
  CHECK(rescue.region.count(CommandKind::freeze) == 0);
  CHECK(rescue.region.verdicts("S2").front().reason == "wean");
}

SCENARIO("a refused fold falls back to weaning", "[tactics][sunset]") {
  for (const auto refusal : {CommandRefusal::not_foldable, CommandRefusal::output_changed}) {
    ScriptedRescue rescue;
    rescue.region.refuse = [=](const AdaptationCommand& command) {
      return command.kind == CommandKind::fold ? refusal : CommandRefusal::none;
    };
    rescue.until(CommandKind::wean);
    rescue.check_clean();
    CHECK(rescue.region.count(CommandKind::fold) == 1);
    CHECK(rescue.region.count(CommandKind::cull) == 0);
    const auto verdicts = rescue.region.verdicts("S2");
    REQUIRE(verdicts.size() == 3);
    CHECK_FALSE(verdicts[1].passed);
    CHECK(verdicts[1].reason == "fold refused: " + std::string{name_of(refusal)});
    CHECK(verdicts[2].reason == "wean");
  }
}

SCENARIO("parity: a calm region that does its task worse has not been rescued",
         "[tactics][sunset]") {
  for (const auto& [loss, rescued] : {std::pair{1.2, true}, {1.22, false}}) {
    ScriptedRescue rescue;
    rescue.until(CommandKind::stabilise);
    rescue.region.loss = loss;  // with the scaffold: 1.0 or 1.02, once it was 1.0
    rescue.region.checkpoints = false;
    rescue.region.run(rescue.tactics, 6);
    CAPTURE(loss);
    CHECK((rescue.region.count(CommandKind::freeze) == 1) == rescued);
  }
}

SCENARIO("before any calm checkpoint parity is against its own first measurement",
         "[tactics][sunset]") {
  for (const double change : {-0.01, 0.21}) {
    ScriptedRescue rescue;
    rescue.region.checkpoints = false;
    rescue.until(CommandKind::stabilise);
    rescue.region.loss += change;  // first measured at a quarter of its alpha: 0.95
    rescue.region.run(rescue.tactics, 6);
    CAPTURE(change);
    CHECK((rescue.region.count(CommandKind::freeze) == 1) == (change < 0));
  }
}

SCENARIO("a checkpoint in a crisis or beside a scaffold is no measure of parity",
         "[tactics][sunset]") {
  ScriptedRescue rescue;
  rescue.until(CommandKind::graft);
  rescue.region.loss = 3;
  rescue.until(CommandKind::advance);
  rescue.region.run(rescue.tactics, 14);
  CHECK(rescue.tactics.calm_gate_loss == 1);
  CHECK(rescue.region.verdicts("S1").empty());
}

SCENARIO("a window that leaves the bands, or is missed, breaks the row", "[tactics][sunset]") {
  for (const bool missed : {false, true}) {
    ScriptedRescue rescue;
    rescue.until(CommandKind::stabilise);
    rescue.region.run(rescue.tactics, 2);
    REQUIRE(rescue.tactics.plans[0].scaffold->successes == 1);
    if (missed) {
      miss(rescue.tactics, rescue.region.next());
      rescue.region.take_absence();
    } else {
      rescue.cured = rescue.curable = false;
      rescue.region.run(rescue.tactics, 1);
      rescue.cured = true;
    }
    rescue.region.run(rescue.tactics, 1);
    CHECK(rescue.region.count(CommandKind::freeze) == 0);
    rescue.region.run(rescue.tactics, 1);
    CHECK(rescue.region.count(CommandKind::freeze) == 1);
  }
}

SCENARIO("weaning waits for parity, and then goes down anyway", "[tactics][sunset]") {
  ScriptedRescue rescue;
  rescue.contribution = 0.005;
  rescue.until(CommandKind::wean);
  rescue.region.run(rescue.tactics, 1);
  rescue.region.loss = 1.5;
  rescue.region.run(rescue.tactics, 3);
  CHECK(rescue.region.count(CommandKind::wean) == 1);
  CHECK(rescue.region.count(CommandKind::hold) == 1);
  WHEN("parity comes back") {
    rescue.region.loss = 1;
    rescue.until(CommandKind::retire);
    CHECK(rescue.escalations().empty());
    CHECK(rescue.region.verdicts("S3").front().passed);
  }
  WHEN("it does not") {
    rescue.until(CommandKind::retire);
    REQUIRE(rescue.escalations().size() == 2);
    CHECK(rescue.escalations()[0].reason == "folding: left unclean, its weaning took too long");
    CHECK(rescue.escalations()[1].reason == "folding: left unclean, its dwell was not clean");
    CHECK_FALSE(rescue.region.verdicts("S3").front().passed);
  }
  rescue.region.run(rescue.tactics, 1);
  check_paid(rescue);
}

SCENARIO("alpha lost on the way up is climbed once more, and then no more", "[tactics][sunset]") {
  ScriptedRescue rescue;
  const auto trip = [&] {
    for (ScriptedSeed& seed : rescue.region.seeds) escape(seed.ramp);
    RegionTurn turn = rescue.region.next();
    Outcome reflex;
    reflex.reflex = true;
    reflex.cause = "loss_spike";
    turn.outcomes.push_back(reflex);
    rescue.region.turns.back() = turn;
    rescue.region.take(decide(rescue.tactics, turn, {1}));
  };
  rescue.curable = false;
  rescue.until(CommandKind::advance);
  trip();
  SECTION("lost again on the second climb") { rescue.until(CommandKind::advance); }
  SECTION("lost again at the top") {
    rescue.until(CommandKind::stabilise);
    rescue.region.run(rescue.tactics, 1);
  }
  CHECK(rescue.region.count(CommandKind::cull) == 0);
  CHECK(rescue.region.count(CommandKind::escape) == 0);
  trip();
  rescue.until(CommandKind::sunset);
  CHECK(rescue.region.count(CommandKind::wean) == 1);
  CHECK(rescue.region.verdicts("S1").front().reason == "reflex: loss_spike");
  CHECK(rescue.escalations().size() == 1);
  rescue.until(CommandKind::retire);
  rescue.region.run(rescue.tactics, 1);
  check_paid(rescue);
}

SCENARIO("one that is not finite in isolation never touches the host", "[tactics][sunset]") {
  ScriptedRescue rescue;
  const auto ill = rescue.region.spoil;
  rescue.region.spoil = [=](RegionTelemetry& seen) {
    ill(seen);
    for (SeedTelemetry& seed : seen.seeds) seed.non_finite = 1;
  };
  rescue.until(CommandKind::cull);
  rescue.region.run(rescue.tactics, 1);
  rescue.check_clean();
  CHECK(rescue.region.count(CommandKind::graft) == 0);
  CHECK(rescue.region.escrow() == 0);
  CHECK(rescue.escalations().front().tried == std::vector<std::string>{"folding"});
}

/// How a rescue goes: folded, weaned, or without success.
struct Course {
  const char* name;
  double contribution;
  bool curable;
};
constexpr Course courses[]{{"fold", 0.2, true}, {"wean", 0.005, true}, {"no success", 0.2, false}};

SCENARIO("a scaffold outlives its Narset, in whatever stage it stands",
         "[tactics][sunset][restart]") {
  std::set<Stage> stages;
  for (const Course& course : courses)
    for (const bool lost : {false, true})
      for (std::uint32_t died = 8; died <= 60; ++died) {
        CAPTURE(course.name, lost, died);
        ScriptedRescue rescue;
        ScriptedRegion& region = rescue.region;
        rescue.contribution = course.contribution;
        rescue.curable = course.curable;
        region.run(rescue.tactics, died - 1);
        region.executes = !lost;
        region.run(rescue.tactics, 1);
        region.executes = true;
        Tactics rebuilt = scaffold_tactics();
        for (std::size_t i = 0; i < region.turns.size(); ++i)
          REQUIRE(canonical(decide(rebuilt, region.turns[i], {1})) == canonical(region.parts[i]));
        if (lost) region.fence({2});
        RegionTurn turn = region.next();
        turn.outcomes.clear();  // lost: only what is read back tells the stage
        auto truth = region.read_back();
        std::erase_if(truth, [](const SeedStatus& one) { return one.stage == Stage::dormant; });
        const RegionPart part = decide(rebuilt, turn, {2}, truth);
        region.take(part);
        CHECK(part.read_back.size() == truth.size());
        for (const SeedStatus& status : truth) {
          REQUIRE(rebuilt.plans.size() == 1);
          CHECK(rebuilt.plans[0].stage == status.stage);
          CHECK(rebuilt.plans[0].doom.empty());
          stages.insert(status.stage);
        }
        if (course.curable) {
          region.run(rebuilt, 40, {2});
          CHECK(region.count(CommandKind::retire) >= 1);
          CHECK(region.escrow() == 0);
        }
        CHECK(region.count(CommandKind::cull) == 0);
        rescue.check_clean();
      }
  CHECK(stages == std::set{Stage::train_isolated, Stage::grafting, Stage::stabilising,
                           Stage::weaning, Stage::sunset});
}

SCENARIO("a scaffold that nobody paid for is taken in only to leave",
         "[tactics][sunset][restart]") {
  ScriptedRescue rescue;
  rescue.curable = false;
  rescue.until(CommandKind::stabilise);
  rescue.region.run(rescue.tactics, 1);
  Tactics forgetful = scaffold_tactics();
  RegionTurn turn = rescue.region.next();
  turn.answers.allocation = Allocation{{0}, {1}, {0}, {100}};
  const RegionPart part = decide(forgetful, turn, {2}, rescue.region.read_back());
  REQUIRE(forgetful.plans.size() == 1);
  CHECK(part.report.scaffolds == 1);
  turn = rescue.region.next();
  REQUIRE(decide(forgetful, turn, {2}).commands.front().kind == CommandKind::wean);
}

SCENARIO("nothing is drawn beyond the grant, and what is not drawn goes back",
         "[tactics][sunset]") {
  std::size_t retired = 0;
  CHECK(rc::check("draws and what is given back are the grant", [&] {
    RandomStream stream{*rc::gen::arbitrary<std::uint64_t>(), "grants"};
    ScriptedRescue rescue;
    ScriptedRegion& region = rescue.region;
    rescue.curable = stream.below(4) != 0;
    rescue.contribution = stream.below(2) == 0 ? 0.2 : 0.005;
    const auto ill = region.spoil;
    region.spoil = [&](RegionTelemetry& seen) {
      ill(seen);
      if (stream.below(15) == 0) seen.jitter = 1;
      if (stream.below(25) == 0) seen.seeds.clear();
    };
    region.refuse = [&](const AdaptationCommand&) {
      return stream.below(12) == 0 ? CommandRefusal::fault : CommandRefusal::none;
    };
    for (int window = 0; window < 90; ++window) {
      if (stream.below(20) == 0) {
        miss(rescue.tactics, region.next());
        region.take_absence();
      } else {
        region.run(rescue.tactics, 1);
      }
      RC_ASSERT(region.granted() == region.drawn() + region.returned() + region.escrow());
      if (rescue.tactics.plans.empty() && !rescue.tactics.trouble.asked && !region.parts.empty() &&
          region.parts.back().report.window == Window{region.turns.size()})
        RC_ASSERT(region.escrow() == 0);
    }
    for (const std::string& wrong : region.wrongs) RC_FAIL(wrong);
    retired += region.count(CommandKind::retire);
  }));
  CHECK(retired > 0);
}

}  // namespace
}  // namespace esper
