#pragma once
// A turn as journal entries, and a role's past read back from them. Pure.
#include <map>
#include <optional>
#include <vector>

#include "messages/audit.hpp"
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

/// A Narset's past: its inputs turn by turn, and whether it decided each.
[[nodiscard]] std::vector<TurnRecord> narset_records(const std::vector<JournalEntry>& entries,
                                                     RegionId region);
/// What Tamiyo decides a turn from, when all parts but its own are in.
[[nodiscard]] TurnReports reports_of(const ClosedTurn& turn);

/// Tamiyo's past: what each turn gave it to decide from, and whether it decided.
[[nodiscard]] std::vector<TurnRecord> tamiyo_records(const std::vector<JournalEntry>& entries);
/// The releases of all turns after `released`.
[[nodiscard]] std::vector<TurnRelease> release_records(const std::vector<JournalEntry>& entries,
                                                       Window released);
/// Tamiyo's part of that turn; nothing when it was absent.
[[nodiscard]] std::optional<StrategyPart> strategy_in(const std::vector<JournalEntry>& entries,
                                                      Window window);
/// The blueprints and sheets that the run began with.
[[nodiscard]] std::optional<Catalogue> catalogue_in(const std::vector<JournalEntry>& entries);

}  // namespace esper
