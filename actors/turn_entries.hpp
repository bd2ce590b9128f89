#pragma once
// A turn as journal entries, and what each role is asked in it. Pure.
#include <map>
#include <optional>
#include <vector>

#include "messages/audit.hpp"
#include "messages/breaker_change.hpp"
#include "messages/control.hpp"

namespace esper {

/// Everything that one turn came to, complete.
struct ClosedTurn {
  WindowReport report;
  std::map<RegionId, RegionPart> parts;  ///< of the regions present
  std::optional<PruningPart> pruning;    ///< of a planning turn in which Emrakul was present
  std::optional<StrategyPart> strategy;  ///< none: Tamiyo was absent
  std::vector<Absence> absences;
  std::vector<Restart> restarts;
  std::vector<BreakerChange> breakers;
};

/// Where the command of a later outcome stands in the journal.
using CommandEntries = std::map<CommandId, std::uint64_t>;

/// The turn's entries sorted by (role, region, ordinal), numbered from `next_sequence`, each with
/// the entry that caused it. `commands` gains this turn's commands and loses those with outcomes.
[[nodiscard]] std::vector<JournalEntry> entries_of(const ClosedTurn& turn,
                                                   std::uint64_t next_sequence,
                                                   CommandEntries& commands);

/// The commands of a turn as Kasmina gets them: region order, then sequence.
[[nodiscard]] TurnRelease release_of(const ClosedTurn& turn);

/// What Tamiyo decides a turn from, when all parts but its own are in.
[[nodiscard]] TurnReports reports_of(const ClosedTurn& turn);

/// What a Narset decides the turn from. `answers`: Tamiyo's of the turn before; those of other
/// regions are passed over.
[[nodiscard]] RegionTurn region_turn(const WindowReport& report, RegionId region,
                                     const std::vector<Answers>& answers);
/// The same for every region that the report tells of, with one look at the outcomes for all.
[[nodiscard]] std::map<RegionId, RegionTurn> region_turns(const WindowReport& report,
                                                          const std::vector<Answers>& answers);

/// What Emrakul plans from, when the regions' parts are in. `before`: Tamiyo's part of the turn
/// before, without which there is no allowance; `checkpoint`: the newest that was measured.
[[nodiscard]] PlanningTurn planning_turn(const ClosedTurn& turn,
                                         const std::optional<StrategyPart>& before,
                                         std::uint64_t checkpoint);

}  // namespace esper
