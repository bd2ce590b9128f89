#pragma once
// Decisions made again from what the journal says they were made from (AUDIT-1). Pure: the same
// functions as live, no actor, no tensor, no clock.
#include "actors/decisions/strategy.hpp"
#include "actors/decisions/tactics.hpp"
#include "actors/turn_history.hpp"

namespace esper {

/// One turn of a Narset's past through the same functions as the present; nothing where it took no
/// part. `before`: the epoch that decided last, 0 at first; moved on.
std::optional<RegionPart> decide_again(Tactics& tactics, const TurnRecord& record, Epoch& before);
/// The same for Tamiyo.
std::optional<StrategyPart> decide_again(Strategy& strategy, const TurnRecord& record);

/// A run's decisions, turn by turn in the journal's order. Inputs are the journal's throughout:
/// Tamiyo is asked about the parts that stand there, not about those decided again, so that one
/// difference is told once.
class TurnReplay {
 public:
  /// `planting`: the tactic that the run was given; empty: Esper's own.
  TurnReplay(RunConfig config, HostDescription host, const Catalogue& catalogue,
             const PlantingTactic& planting = {});

  /// The turn as these functions would have closed it: the same inputs, every decision made again.
  [[nodiscard]] ClosedTurn again(const ClosedTurn& turn);

 private:
  [[nodiscard]] PruningPart plan_again(const ClosedTurn& turn) const;

  RunConfig config_;
  SharedHost host_;
  std::vector<Tactics> tactics_;  ///< by region
  std::vector<Epoch> epochs_;     ///< that decided last, by region
  Strategy strategy_;
  std::optional<StrategyPart> before_;  ///< Tamiyo's part of the turn before
};

}  // namespace esper
