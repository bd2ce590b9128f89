// Causes, not a script: what is measured and what there is to spend decide, on the real trainer.
#include <map>
#include <tuple>

#include "tests/long_tier.hpp"
#include "tests/simulation/whole_run.hpp"

namespace esper {
namespace {

std::size_t germinations(const WholeRun& run) { return run.carried_out(CommandKind::germinate); }

/// Mean energy that each design on each place was priced at in that region.
using DesignOnPlace = std::tuple<double, double, double>;
std::map<DesignOnPlace, double> prices_of(const WholeRun& run, RegionId region) {
  std::map<DesignOnPlace, std::pair<double, double>> sums;
  for (const auto& price : run.all<Price>()) {
    if (price.region != region) continue;
    auto& [sum, count] =
        sums[{price.said.downstream, price.said.parameters, price.said.relative_norm}];
    sum += static_cast<double>(price.said.energy.thousandths);
    count += 1;
  }
  std::map<DesignOnPlace, double> means;
  for (const auto& [design, sum] : sums) means[design] = sum.first / sum.second;
  return means;
}

Energy granted(const WholeRun& run, RegionId region) {
  Energy sum;
  for (const auto& part : run.all<StrategyPart>())
    if (const auto& lease = part.said.answers.at(region.value).allocation) sum += lease->energy;
  return sum;
}

}  // namespace

SCENARIO("with a mint of 0 nothing germinates, with the usual one something does",
         "[simulation][causes]") {
  if (!can_train()) return;
  CHECK(germinations(run_small({"training.steps_max=60"})) > 0);
  const auto poor = run_small({"training.steps_max=60", "budget.mint_per_region=0"});
  CHECK(poor.all<StrategyPart>().size() == 6);
  CHECK(poor.all<AdaptationCommand>().empty());
  CHECK(poor.all<GateVerdict>().size() > 0);  // it wanted to
}

SCENARIO("more noise in one region's telemetry: its prices rise and its grants fall",
         "[simulation][causes]") {
  if (!can_train()) return;
  constexpr RegionId shaken{1};
  const auto calm = run_small({});
  const auto noisy = run_small({}, [](WindowReport& report) {
    constexpr Window first_measured{1};  // what is usual in a region is known from its first window
    if (report.window > first_measured) report.regions.at(shaken.value).loss_sigma *= 3;
  });
  double price_calm = 0, price_noisy = 0;
  const auto before = prices_of(calm, shaken);
  for (const auto& [design, price] : prices_of(noisy, shaken)) {
    if (!before.contains(design)) continue;
    price_calm += before.at(design);
    price_noisy += price;
  }
  CHECK(price_calm > 0);
  CHECK(price_noisy > 1.1 * price_calm);
  CHECK(granted(noisy, shaken) < granted(calm, shaken));
}

SCENARIO("a harmful blueprint is culled by its gate, with the number that it measured",
         "[simulation][causes]") {
  if (!can_train()) return;
  const auto run = run_small(
      {"training.steps_max=120", "blueprints.use=[\"low_rank\"]",
       "blueprints.add=[{\"name\":\"harmful\",\"kind\":\"plain_convolution\",\"kernel\":3,"
       "\"learning_rate_scale\":10}]"});
  std::map<SeedId, GateVerdict> condemned;
  for (const auto& [window, region, verdict] : run.all<GateVerdict>()) {
    if (verdict.blueprint != "harmful" || verdict.gate == "G0") continue;
    INFO("window " << window.value << ": " << verdict.gate << " " << verdict.reason);
    CHECK_FALSE(verdict.passed);
    CHECK(verdict.gate == "G2");
    CHECK(verdict.measured < verdict.threshold);
    for (const auto& seen : run.all<RegionTelemetry>())
      for (const auto& seed : seen.said.seeds)
        if (seen.window == window && seed.seed == verdict.seed)
          CHECK(verdict.measured == seed.gate.loss_without - seed.gate.loss_with);
    condemned[verdict.seed] = verdict;
  }
  REQUIRE_FALSE(condemned.empty());
  std::size_t culled = 0;
  for (const auto& outcome : run.all<Outcome>()) {
    if (!condemned.contains(outcome.said.seed)) continue;
    CHECK(outcome.said.alpha == 0);  // it never touched the host's output
    culled += outcome.said.kind == CommandKind::cull &&
              outcome.said.refusal == CommandRefusal::none &&
              outcome.said.stage == Stage::embargoed;
  }
  CHECK(culled == condemned.size());
}

SCENARIO("a scaffold is asked for because a region is disturbed: undisturbed none is",
         "[simulation][causes][scaffold]") {
  if (!can_train()) return;
  const auto requests = [](const Overrides& overrides) {
    return run_whole(shipped_config("rescue.json", overrides)).all<ScaffoldRequest>().size();
  };
  // As the whole run begins: 64 of its steps are warm-up.
  const Overrides begin{"training.steps_max=128", "training.warmup_share=0.5",
                        "training.decay_share=0"};
  Overrides undisturbed = begin;
  undisturbed.push_back("training.disturbances=[]");
  CHECK(requests(begin) > 0);
  CHECK(requests(undisturbed) == 0);
  if (long_tier()) CHECK(requests({"training.disturbances=[]"}) == 0);
}

SCENARIO("another seed gives another journal and another model", "[simulation][causes]") {
  if (!can_train()) return;
  const auto one = run_small({"training.steps_max=60", "seed=1"});
  const auto two = run_small({"training.steps_max=60", "seed=2"});
  CHECK(one.result.decision_hash != two.result.decision_hash);
  const auto commanded = [](const WholeRun& run) {
    std::string commands;
    for (const auto& given : run.all<AdaptationCommand>())
      commands += std::to_string(given.window.value) + canonical(given.said) + "\n";
    return commands;
  };
  CHECK_FALSE(commanded(one).empty());
  CHECK(commanded(one) != commanded(two));  // not only the config's own entry
  CHECK(one.result.grown.model.weights_hash != two.result.grown.model.weights_hash);
}

}  // namespace esper
