// An approved proposal on the real trainer: its conditions hold where the seed is trained.
#include "tests/simulation/whole_run.hpp"

namespace esper {

SCENARIO("an approved proposal's mitigations are enforced by Kasmina, and its return is booked",
         "[simulation][opportunity]") {
  if (!can_train()) return;
  const auto config = small_config({});
  const auto run = run_small({});
  struct Condition {
    RegionId region;
    std::uint64_t proposal;
    Window from, until;
    Mitigations mitigations;
  };
  std::vector<Condition> conditions;
  for (const auto& part : run.all<StrategyPart>())
    for (const auto& answers : part.said.answers)
      for (const auto& verdict : answers.verdicts)
        if (verdict.kind == VerdictKind::approved)
          conditions.push_back(
              {verdict.region, verdict.proposal, part.window, verdict.until, verdict.conditions});
  REQUIRE_FALSE(conditions.empty());

  std::map<SeedId, Mitigations> held_to;
  for (const auto& [window, region, command] : run.all<AdaptationCommand>())
    for (const auto& condition : conditions)
      if (command.kind == CommandKind::germinate && region == condition.region &&
          window > condition.from && window <= condition.until &&
          canonical(command.mitigations) == canonical(condition.mitigations))
        held_to[command.seed] = condition.mitigations;
  REQUIRE_FALSE(held_to.empty());

  std::size_t grafted = 0;
  for (const auto& [window, region, outcome] : run.all<Outcome>()) {
    const auto conditioned = held_to.find(outcome.seed);
    if (conditioned == held_to.end() || outcome.refusal != CommandRefusal::none ||
        outcome.stage == Stage::embargoed || outcome.stage == Stage::dormant)
      continue;
    INFO("window " << window.value << ", " << name_of(outcome.kind));
    const auto& stages = conditioned->second.alpha_stages;
    CHECK(outcome.enforced.clip_norm == config.gates.clip_norm / 2);
    CHECK(outcome.enforced.alpha_stages == stages);
    CHECK(stages.front() == config.gates.alpha_stages.front() / 2);
    grafted += outcome.kind == CommandKind::graft;
  }
  CHECK(grafted > 0);
  // Alpha as the seed was really blended: never beyond the stage that it had come to.
  std::map<SeedId, std::size_t> begun;
  for (Window window{1}; window <= run.result.grown.last_window; window = window + 1) {
    for (const auto& seen : run.all<RegionTelemetry>())
      for (const auto& seed : seen.said.seeds)
        if (seen.window == window && held_to.contains(seed.seed) && begun[seed.seed] > 0)
          CHECK(seed.alpha <= held_to[seed.seed].alpha_stages.at(begun[seed.seed] - 1));
    for (const auto& outcome : run.all<Outcome>())
      if (outcome.window == window && outcome.said.refusal == CommandRefusal::none)
        begun[outcome.said.seed] +=
            outcome.said.kind == CommandKind::graft || outcome.said.kind == CommandKind::advance;
  }

  std::size_t returned = 0;
  for (const auto& report : run.all<RegionReport>())
    for (const auto& realised : report.said.returns)
      for (const auto& condition : conditions)
        returned += condition.region == report.region && condition.proposal == realised.proposal;
  CHECK(returned > 0);
}

}  // namespace esper
