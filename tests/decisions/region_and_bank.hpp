#pragma once
// One scripted region and the real strategist: whatever the region's book moves, the ledger
// repeats.
#include <string>
#include <vector>

#include "actors/decisions/strategy.hpp"
#include "tests/decisions/scripted_region.hpp"
#include "tests/decisions/turn_reports.hpp"

namespace esper {

struct RegionAndBank {
  RegionAndBank(std::int64_t mint, const TacticsSettings& chosen)
      : region(chosen), tactics(scripted_tactics(chosen)), strategy(settings_of(chosen, mint)) {}

  static StrategySettings settings_of(const TacticsSettings& tactics, std::int64_t mint) {
    StrategySettings settings;
    settings.budget = tactics.budget;
    settings.budget.mint_per_region = mint;
    settings.gates = tactics.gates;
    settings.time = tactics.time;
    settings.regions = 1;
    return settings;
  }

  ScriptedRegion region;
  Tactics tactics;
  Strategy strategy;
  Epoch epoch{1}, bank_epoch{1};
  std::vector<Answers> answers;  ///< of every turn that was decided by the bank

  /// One turn of both. `read_back`: the region's first after a restart.
  StrategyPart turn(const std::optional<std::vector<SeedStatus>>& read_back = std::nullopt) {
    region.strategist = answers.empty() ? Answers{} : answers.back();
    const RegionTurn told = region.next();
    const RegionPart part = decide(tactics, told, epoch, read_back);
    region.take(part);
    StrategyPart answer =
        decide(strategy, turn_reports(told.window, {part.report}, part.proposals), bank_epoch);
    answers.push_back(answer.answers.front());
    return answer;
  }

  /// The bank is away: its ledger follows, nobody is answered.
  void turn_without_bank(const std::optional<std::vector<SeedStatus>>& read_back = std::nullopt) {
    region.strategist = answers.empty() ? Answers{} : answers.back();
    const RegionTurn told = region.next();
    const RegionPart part = decide(tactics, told, epoch, read_back);
    region.take(part);
    miss(strategy, turn_reports(told.window, {part.report}, part.proposals));
    answers.emplace_back();
  }

  /// The region is away: it hears its answers, and reports nothing.
  StrategyPart turn_without_region() {
    region.strategist = answers.empty() ? Answers{} : answers.back();
    const RegionTurn told = region.next();
    miss(tactics, told);
    region.take_absence();
    StrategyPart answer = decide(strategy, turn_reports(told.window, {}), bank_epoch);
    answers.push_back(answer.answers.front());
    return answer;
  }
};

}  // namespace esper
