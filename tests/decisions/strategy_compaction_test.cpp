// Pruning plans before Tamiyo.
#include "actors/decisions/strategy.hpp"

#include "actors/decisions/host_surgery.hpp"
#include "tests/decisions/economy_turns.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <limits>
#include <string>

namespace esper {
namespace {

std::string name(SurgeryRefusal refusal) { return std::string{name_of(refusal)}; }

/// Calm turns; checkpoint 1 closes window 4, and turn 7 judges its plan.
struct Bank {
  explicit Bank(StrategySettings chosen = economy_settings())
      : settings(std::move(chosen)), strategy(settings) {}

  TurnReports next() {
    window = window + 1;
    return economy_turn(settings, window, structure_version);
  }
  StrategyPart calm() { return decide(strategy, next(), first_epoch); }
  void calm_until(std::uint64_t last) {
    while (window.value < last) (void)calm();
  }
  /// The verdict on a plan in the next turn, whose reports `change` may disturb.
  StrategyPart judge(
      const PruningPlan& plan,
      const std::function<void(TurnReports&)>& change = [](TurnReports&) {}) {
    TurnReports turn = next();
    turn.plan = plan;
    change(turn);
    return decide(strategy, turn, first_epoch);
  }
  StrategyPart outcome(std::uint64_t plan, SurgeryRefusal refusal,
                       std::vector<GroupCut> cuts = {}) {
    TurnReports turn = next();
    SurgeryOutcome told;
    told.plan = plan;
    told.refusal = refusal;
    told.cuts = std::move(cuts);
    if (refusal == SurgeryRefusal::none) told.structure_version = ++structure_version;
    turn.surgeries = {told};
    return decide(strategy, turn, first_epoch);
  }

  StrategySettings settings;
  Strategy strategy;
  Window window;
  std::uint64_t structure_version{};
};

const std::vector<GroupCut> some_cuts{cut_to("conv2", 48), cut_to("conv3", 64)};

SCENARIO("a plan is approved, carried out and paid for", "[strategy][compaction]") {
  Bank bank;
  bank.calm_until(6);
  const StrategyPart part = bank.judge(plan_to_cut(1, some_cuts));
  CHECK(name(part.plan.value().refusal) == "none");
  const SurgeryOrder order = part.surgery.value();
  CHECK(order.boundary == Window{8});
  CHECK(order.epoch == first_epoch);
  CHECK(order.plan.cuts.size() == 2);
  CHECK(bank.strategy.ledger.compaction_committed() == Energy{30});
  CHECK(part.compaction == Energy{1'200 - 30});
  const Energy spent = part.balance.spent;
  WHEN("it is kept") {
    const StrategyPart next = bank.outcome(1, SurgeryRefusal::none, some_cuts);
    CHECK(next.refused.empty());
    CHECK(next.balance.spent == spent + Energy{30});
    CHECK(bank.strategy.ledger.compaction_committed() == Energy{0});
    CHECK(bank.strategy.host.coupled_groups[3].channels == 64);
    CHECK(bank.strategy.host.parameters ==
          after_cuts(bank.settings.host, some_cuts).value().parameters);
    CHECK(next.pruning.value().spend == Energy{0});  // growth's alone: pruning does not throttle it
    THEN("told again it is not paid or cut twice") {
      const StrategyPart again = bank.outcome(1, SurgeryRefusal::none, some_cuts);
      CHECK(again.refused.size() == 1);
      CHECK(again.balance.spent == spent + Energy{30});
      CHECK(bank.strategy.host.coupled_groups[3].channels == 64);
    }
    THEN("the next plan is for the host that it left") {
      bank.calm_until(10);
      PruningPlan plan = plan_to_cut(2, {cut_to("conv3", 32)});
      plan.structure_version = 1;
      CHECK(name(bank.judge(plan).plan.value().refusal) == "none");
    }
  }
  WHEN("it is rolled back") {
    const StrategyPart next = bank.outcome(1, SurgeryRefusal::harmful);
    CHECK(next.balance.spent == spent);
    CHECK(bank.strategy.ledger.compaction_committed() == Energy{0});
    CHECK(bank.strategy.host.coupled_groups[3].channels == 96);
  }
  WHEN("nothing is heard of it") {
    bank.calm_until(10);
    CHECK(bank.strategy.ledger.compaction_committed() == Energy{30});
    const StrategyPart next = bank.calm();
    CHECK(bank.strategy.ledger.compaction_committed() == Energy{0});
    CHECK(next.balance.spent == spent);
    THEN("late news of its cuts is believed, but not paid") {
      const StrategyPart late = bank.outcome(1, SurgeryRefusal::none, some_cuts);
      CHECK(late.refused.size() == 1);
      CHECK(late.balance.spent == spent);
      CHECK(bank.strategy.host.coupled_groups[3].channels == 64);
    }
  }
  WHEN("what was cut cannot be followed") {
    (void)bank.outcome(1, SurgeryRefusal::none, {cut_to("conv9", 1)});
    bank.calm_until(10);
    PruningPlan plan = plan_to_cut(2, {cut_to("conv3", 88)});
    plan.structure_version = 1;
    THEN("that host is never cut again") {
      CHECK(name(bank.judge(plan).plan.value().refusal) == "uncoupled");
    }
  }
  CHECK(bank.strategy.ledger.conserves_energy());
}

SCENARIO("whole layers leave one a round, and none that was put back", "[strategy][compaction]") {
  StrategySettings settings = economy_settings();
  settings.host = describe_host("byte_transformer", "lm-64").value();
  Bank bank(settings);
  bank.calm_until(6);
  PruningPlan plan = plan_to_cut(1, {});
  plan.layers = {"block1.attention"};
  const auto judged = [&](const PruningPlan& one) {
    Bank other = bank;
    const StrategyPart part = other.judge(one);
    CHECK(part.surgery.has_value() == (part.plan.value().refusal == SurgeryRefusal::none));
    return name(part.plan.value().refusal);
  };
  CHECK(judged(plan) == "none");
  PruningPlan bad = plan;
  bad.layers.push_back("block2.attention");
  CHECK(judged(bad) == "too_deep");
  bad.layers = {"block1.attention", "block1.attention"};
  CHECK(judged(bad) == "uncoupled");
  bad.layers = {"block7.attention"};
  CHECK(judged(bad) == "uncoupled");
  bad = plan;
  bad.cuts = {cut_to("block1.attention", 2)};
  CHECK(judged(bad) == "uncoupled");
  bad.cuts = {cut_to("block0.attention", 2)};
  CHECK(judged(bad) == "none");
  WHEN("it is kept") {
    (void)bank.judge(plan);
    TurnReports turn = bank.next();
    SurgeryOutcome kept;
    kept.plan = 1;
    kept.layers = plan.layers;
    kept.structure_version = ++bank.structure_version;
    turn.surgeries = {kept};
    CHECK(decide(bank.strategy, turn, first_epoch).layers_needed.empty());
    CHECK(bank.strategy.host.residual_layers[2].removed);
    CHECK(bank.strategy.host.operations <
          after_cuts(settings.host, {cut_to("block1.attention", 1)}).value().operations);
    bank.calm_until(10);
    PruningPlan next = plan_to_cut(2, {});
    next.structure_version = 1;
    next.layers = {"block1.feed_forward"};
    const StrategyPart part = bank.judge(next);
    CHECK(name(part.plan.value().refusal) == "too_deep");
    CHECK(part.plan.value().detail == "block1.feed_forward is the last layer of its region");
  }
  WHEN("it is put back") {
    CHECK(bank.judge(plan).layers_needed.empty());
    CHECK(bank.outcome(1, SurgeryRefusal::harmful).layers_needed == plan.layers);
    CHECK_FALSE(bank.strategy.host.residual_layers[2].removed);
    bank.calm_until(10);
    PruningPlan next = plan_to_cut(2, {});
    next.layers = plan.layers;
    CHECK(judged(next) == "harmful");
    next.layers = {"block0.attention"};
    CHECK(judged(next) == "none");
    CHECK(bank.calm().layers_needed == plan.layers);
  }
  WHEN("another order was harmful") {
    CHECK(bank.outcome(1, SurgeryRefusal::harmful).layers_needed.empty());
  }
}

SCENARIO("each bad plan is refused by its own reason", "[strategy][compaction][ZONE-1]") {
  Bank bank;
  bank.calm_until(6);
  PruningPlan plan = plan_to_cut(1, some_cuts);
  std::string reason;
  const auto judged = [&](const PruningPlan& one) {
    const StrategyPart part = bank.judge(one);
    CHECK_FALSE(part.surgery.has_value());
    CHECK_FALSE(part.plan.value().detail.empty());
    CHECK(bank.strategy.ledger.compaction_committed() == Energy{0});
    return name(part.plan.value().refusal);
  };
  SECTION("none is bad") { CHECK(name(bank.judge(plan).plan.value().refusal) == "none"); }
  SECTION("too little training is left to recover in") {
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& turn) { turn.reports[1].learning_rate_ratio = 0.2; });
    CHECK(name(part.plan.value().refusal) == "too_late");
    CHECK_FALSE(part.surgery.has_value());
  }
  SECTION("less of the host than all rounds together must leave") {
    bank.strategy.settings.compaction.operations_share_min = 0.99;
    CHECK(judged(plan) == "too_deep");
  }
  SECTION("stale structure") {
    plan.structure_version = 3;
    CHECK(judged(plan) == "stale_structure");
  }
  SECTION("zones have changed") {
    plan.zone_version = 1;
    CHECK(judged(plan) == "zone_changed");
  }
  SECTION("over the allowance") {
    plan.price.energy = {1'201};
    CHECK(judged(plan) == "over_allowance");
  }
  SECTION("a price that is none") {
    plan.price.energy = {0};
    CHECK(judged(plan) == "over_allowance");
  }
  SECTION("a group that there is not") {
    plan.cuts.push_back(cut_to("conv9", 8));
    CHECK(judged(plan) == "uncoupled");
  }
  SECTION("channels that there are not") {
    plan.cuts.front().kept.back() = 64;
    CHECK(judged(plan) == "uncoupled");
  }
  SECTION("a group cut twice in one round") {
    plan.cuts = {cut_to("conv3", 48), cut_to("conv3", 24)};
    CHECK(judged(plan) == "uncoupled");
  }
  SECTION("nothing to cut") {
    plan.cuts.clear();
    CHECK(judged(plan) == "uncoupled");
  }
  SECTION("too deep") {
    plan.cuts = {cut_to("conv3", 47)};
    CHECK(judged(plan) == "too_deep");
  }
  SECTION("of an earlier checkpoint") {
    bank.calm_until(10);
    CHECK(judged(plan) == "not_a_checkpoint");
  }
  SECTION("not before a boundary") {
    bank.window = {4};
    CHECK(judged(plan) == "not_a_checkpoint");
  }
  SECTION("approved before") {
    (void)bank.judge(plan);
    (void)bank.outcome(1, SurgeryRefusal::harmful);
    bank.window = {6};
    CHECK(judged(plan) == "already_done");
  }
  SECTION("in a crisis") {
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& turn) { turn.reports[0].in_crisis = true; });
    CHECK(name(part.plan.value().refusal) == "in_crisis");
    CHECK(part.compaction == Energy{0});
  }
  SECTION("inside a zone that this very turn opens") {
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& turn) { turn.reports[0].scaffolds = 1; });
    CHECK(name(part.plan.value().refusal) == "inside_zone");  // conv2 lies in the next region
  }
  SECTION("inside a zone that it has seen") {
    plan.zone_version = 1;
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& told) { told.reports[0].scaffolds = 1; });
    CHECK(name(part.plan.value().refusal) == "inside_zone");
  }
  SECTION("outside the zone that it has seen") {
    plan.zone_version = 1;
    plan.cuts = {cut_to("conv3", 64)};
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& told) { told.reports[0].scaffolds = 1; });
    CHECK(name(part.plan.value().refusal) == "none");
    CHECK(part.compaction == Energy{360 - 30});  // zone_share of the allowance
  }
  SECTION("a group that only reaches into the zone") {
    plan.zone_version = 1;
    plan.cuts = {cut_to("conv2", 48)};  // makes late's input channels
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& told) { told.reports[2].scaffolds = 1; });
    CHECK(name(part.plan.value().refusal) == "inside_zone");
  }
  SECTION("a group that reaches into a zone of one region alone") {
    StrategySettings narrow = bank.settings;
    narrow.scaffolds.radius = 0;
    bank = Bank(narrow);
    bank.calm_until(6);
    plan.zone_version = 1;
    plan.cuts = {cut_to("conv2", 48)};
    const StrategyPart part =
        bank.judge(plan, [](TurnReports& told) { told.reports[2].scaffolds = 1; });
    CHECK(name(part.plan.value().refusal) == "inside_zone");
  }
  SECTION("without a host nothing is approved") {
    StrategySettings blind = bank.settings;
    blind.host = {};
    bank = Bank(blind);
    bank.calm_until(6);
    CHECK(judged(plan) == "uncoupled");
  }
}

SCENARIO("no round before the host has recovered from the last", "[strategy][compaction]") {
  Bank bank;
  bank.settings.compaction.recovery_loss_max = 0.1;
  bank.strategy = Strategy{bank.settings};
  const auto checkpoint = [&](std::uint64_t number, double loss) {
    bank.calm_until(4 * number - 1);
    TurnReports turn = bank.next();
    turn.checkpoint.value().gate_loss = loss;
    (void)decide(bank.strategy, turn, first_epoch);
    bank.calm_until(4 * number + 2);
  };
  const auto refusal_after = [&](std::uint64_t number) {
    PruningPlan plan = plan_to_cut(number, {cut_to("conv3", 88)});
    const StrategyPart part = bank.judge(plan);
    CHECK(part.plan.value().detail.empty() == (part.plan.value().refusal == SurgeryRefusal::none));
    return name(part.plan.value().refusal);
  };
  checkpoint(1, 0.5);
  checkpoint(2, 0.7);
  CHECK(refusal_after(2) == "not_recovered");
  checkpoint(3, std::numeric_limits<double>::quiet_NaN());
  CHECK(refusal_after(3) == "not_recovered");
  checkpoint(4, 0.55);  // within 0.1 of the best, which is 0.5
  CHECK(refusal_after(4) == "none");
}

SCENARIO("a strategist that was away knows what was cut and what its plans cost",
         "[strategy][compaction]") {
  Bank bank;
  bank.calm_until(6);
  (void)bank.judge(plan_to_cut(1, some_cuts));
  TurnReports turn = bank.next();
  SurgeryOutcome kept;
  kept.plan = 1;
  kept.cuts = some_cuts;
  kept.structure_version = bank.structure_version = 1;
  turn.surgeries = {kept};
  turn.checkpoint->structure_version = 0;  // announced before the cut
  miss(bank.strategy, turn);
  CHECK(bank.strategy.structure_version == 1);
  CHECK(bank.strategy.host.coupled_groups[3].channels == 64);
  CHECK(bank.strategy.ledger.balance().spent == Energy{30});
}

SCENARIO("a strategist that was away knows of the scaffolds that came meanwhile",
         "[strategy][compaction][ZONE-1]") {
  Bank bank;
  bank.calm_until(5);
  TurnReports turn = bank.next();
  turn.reports[2].scaffolds = 1;
  miss(bank.strategy, turn);
  const StrategyPart part = bank.judge(plan_to_cut(1, {cut_to("conv3", 64)}));
  CHECK(name(part.plan.value().refusal) == "inside_zone");
}

SCENARIO("an allowance without compaction is none", "[strategy][compaction]") {
  StrategySettings settings = economy_settings();
  settings.compaction.enabled = false;
  Bank bank{settings};
  const StrategyPart part = bank.calm();
  CHECK(part.pruning.value().allowance == Energy{0});
  CHECK(part.mint.value().compaction == Energy{0});
  CHECK(part.compaction == Energy{0});
}

}  // namespace
}  // namespace esper
