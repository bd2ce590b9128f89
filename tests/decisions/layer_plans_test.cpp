// Plans of whole layers, and Tamiyo's word on them.
#include <algorithm>
#include <limits>
#include <string>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/strategy.hpp"
#include "tests/decisions/economy_turns.hpp"
#include "tests/decisions/planning.hpp"

namespace esper {
namespace {

/// Attention of the second block does least and matters least.
ImportanceReport with_layers(const HostDescription& host) {
  ImportanceReport report = rising(host);
  for (const ResidualLayer& layer : host.residual_layers)
    if (!layer.removed) report.layers.push_back({layer.name, 1, 0.9, false});
  for (LayerImportance& one : report.layers) {
    if (one.layer == "block1.attention") one = {one.layer, 0.1, 0.99, false};
    if (one.layer == "block2.attention") one = {one.layer, 0.12, 0.985, false};
  }
  return report;
}

SCENARIO("a redundant layer leaves whole and alone", "[pruning_planner][layers]") {
  Planning planning;
  planning.host = describe_host("byte_transformer", "lm-64").value();
  planning.importance = with_layers(planning.host);
  planning.config.compaction.layer_importance_max = 0.5;
  const PruningPart part = planning.plan();
  REQUIRE(part.plan);
  CHECK(part.reason.empty());
  CHECK(part.plan->layers == std::vector<std::string>{"block1.attention"});
  CHECK(part.plan->cuts.empty());
  CHECK(part.plan->id == 1);
  CHECK(part.plan->structure_version == 5);
  CHECK(part.plan->zone_version == 9);
  CHECK(part.plan->parameters_saved == 16'384 + 128);
  CHECK(part.plan->operations_saved == 128 * (16'384 + 129 * 64 + 64));
  CHECK(part.plan->importance_lost == Approx(0.1 / 1.22));
  CHECK(part.plan->price.risk == Approx(0.1 / 1.22));
  CHECK(part.plan->price.relative_norm == Approx(0.1 / 1.22));
  const auto layer_of = [&] {
    const PruningPart made = planning.plan();
    if (!made.plan || made.plan->layers.empty()) return std::string{"none"};
    return made.plan->layers.front();
  };
  WHEN("it was put back before") {
    planning.turn.layers_needed = {"block1.attention"};
    CHECK(layer_of() == "block2.attention");
    planning.turn.layers_needed.push_back("block2.attention");
    CHECK(layer_of() == "none");
    CHECK_FALSE(planning.plan().plan->cuts.empty());
  }
  WHEN("seeds are under way in its region") {
    planning.turn.busy = {{1}};
    CHECK(layer_of() == "block2.attention");
  }
  WHEN("its region lies in a zone") {
    planning.embargo({{1}});
    const PruningPart zoned = planning.plan();
    REQUIRE(zoned.plan);
    CHECK(zoned.plan->layers == std::vector<std::string>{"block2.attention"});
    for (const LayerImportance& one : zoned.importance->layers)
      CHECK(one.diagnostics_only == one.layer.starts_with("block1."));
  }
  WHEN("there is not energy enough") {
    planning.turn.allowance = part.plan->price.energy - Energy{1};
    CHECK(layer_of() == "block2.attention");  // disturbs less that lies behind it
    planning.turn.allowance = {planning.config.budget.price_min - 1};
    CHECK(layer_of() == "none");
  }
  WHEN("all rounds have taken what they may") {
    planning.config.compaction.operations_share_min = 0.9;
    CHECK(layer_of() == "none");
  }
  WHEN("the rule's defaults hold, nothing is alike and unimportant enough") {
    planning.config.compaction = {};
    planning.importance->layers[4] = {"block2.attention", 0.3, 0.985, false};
    CHECK(layer_of() == "none");
  }
  WHEN("what was measured is no number, of no layer, or told twice") {
    auto& one = planning.importance->layers[2];
    const auto reason = [&] {
      CHECK_FALSE(planning.plan().plan);
      return planning.plan().reason;
    };
    one.similarity = std::numeric_limits<double>::quiet_NaN();
    CHECK(reason() == "block1.attention's importance and similarity are not numbers");
    one = {"block1.attention", -1, 0.99, false};
    CHECK(reason() == "block1.attention's importance and similarity are not numbers");
    one = {"block0.attention", 1, 0.99, false};
    CHECK(reason() == "block0.attention was measured twice");
    one = {"block7.attention", 1, 0.99, false};
    CHECK(reason() == "the host has no layer block7.attention");
  }
}

SCENARIO("whatever is measured of layers, Tamiyo approves the plan", "[pruning_planner][layers]") {
  int layers_left = 0, rounds = 0;
  CHECK(rc::check("round after round, each keeps every rule", [&] {
    StrategySettings settings = economy_settings();
    settings.time.cycle_windows = 2;  // odd turns plan, even ones tell what became of it
    settings.time.checkpoint_cycles = 1;
    settings.budget.mint_per_region = *rc::gen::inRange(50, 2'000);
    settings.compaction.importance_lost_max = *rc::gen::inRange(0, 4) / 10.0;
    settings.compaction.layer_similarity_min = *rc::gen::inRange(-10, 11) / 10.0;
    settings.compaction.layer_importance_max = *rc::gen::inRange(0, 11) / 10.0;
    settings.compaction.operations_share_min = *rc::gen::inRange(0, 8) / 10.0;
    settings.host = describe_host("byte_transformer", "lm-64").value();
    RunConfig config;
    config.budget = settings.budget;
    config.compaction = settings.compaction;
    Strategy strategy{settings};
    StrategyPart before = decide(strategy, economy_turn(settings, {1}), first_epoch);
    HostDescription host = settings.host;
    std::uint64_t structure = 0;
    std::vector<std::string> harmful;
    std::optional<SurgeryOutcome> outcome;
    for (std::uint64_t window = 2; window < 20; ++window) {
      TurnReports turn = economy_turn(settings, {window}, structure);
      if (window % 2 == 0) {
        if (outcome) turn.surgeries = {*outcome};
        outcome.reset();
        before = decide(strategy, turn, first_epoch);
        RC_ASSERT(strategy.layers_needed == harmful);
        continue;
      }
      const std::uint64_t checkpoint = (window - 1) / 2;
      PlanningTurn planning;
      planning.window = {window};
      planning.checkpoint = checkpoint;
      planning.allowance = before.compaction;
      planning.zones = before.zones;
      planning.layers_needed = before.layers_needed;
      ImportanceReport importance = rising(host);
      std::erase_if(importance.groups, [](const auto& group) { return group.importance.empty(); });
      importance.checkpoint = checkpoint;
      importance.structure_version = structure;
      for (const ResidualLayer& layer : host.residual_layers)
        if (!layer.removed)
          importance.layers.push_back({layer.name, *rc::gen::inRange(0, 100) / 10.0,
                                       *rc::gen::inRange(-100, 101) / 100.0, false});
      const PruningPart part = plan_pruning(planning, importance, "", config, settings.host);
      RC_ASSERT(part.plan.has_value() == part.reason.empty());
      turn.plan = part.plan;
      before = decide(strategy, turn, first_epoch);
      if (!part.plan) continue;
      ++rounds;
      RC_ASSERT(std::string{name_of(before.plan.value().refusal)} == "none");
      RC_ASSERT(part.plan->layers.size() <= 1U);
      RC_ASSERT(part.plan->layers.empty() || part.plan->cuts.empty());
      const HostDescription after = after_cuts(host, part.plan->cuts, part.plan->layers).value();
      RC_ASSERT(host.operations - after.operations == part.plan->operations_saved);
      RC_ASSERT(after.operations >= least_operations(settings.host, settings.compaction));
      for (std::uint32_t region = 0; region < 3; ++region)
        RC_ASSERT(std::any_of(after.residual_layers.begin(), after.residual_layers.end(),
                              [&](const ResidualLayer& layer) {
                                return layer.region == RegionId{region} && !layer.removed;
                              }));
      for (const std::string& layer : part.plan->layers)
        RC_ASSERT(std::find(harmful.begin(), harmful.end(), layer) == harmful.end());
      outcome.emplace().plan = part.plan->id;
      if (*rc::gen::inRange(0, 3) == 0) {
        outcome->refusal = SurgeryRefusal::harmful;
        harmful.insert(harmful.end(), part.plan->layers.begin(), part.plan->layers.end());
      } else {
        outcome->cuts = part.plan->cuts;
        outcome->layers = part.plan->layers;
        outcome->structure_version = ++structure;
        layers_left += part.plan->layers.empty() ? 0 : 1;
        host = after;
      }
      outcome->structure_version = structure;
    }
    RC_ASSERT(strategy.ledger.conserves_energy());
  }));
  CHECK(layers_left > 20);
  CHECK(rounds > layers_left);
}

}  // namespace
}  // namespace esper
