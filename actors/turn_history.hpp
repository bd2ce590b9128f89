#pragma once
// Committed turns read back from the journal, whole or as one role's past. Pure.
#include <functional>
#include <optional>
#include <vector>

#include "actors/turn_entries.hpp"
#include "messages/interfaces.hpp"

namespace esper {

/// The turns that the entries tell of, in window order: what entries_of was given, but for the
/// order of outcomes, which is the journal's. The opening's entries (window 0) are passed over.
/// Errors: throws MalformedJson or nlohmann's errors when a payload is not what its kind says, or
/// the kind is not one of a turn's.
[[nodiscard]] std::vector<ClosedTurn> turns_in(const std::vector<JournalEntry>& entries);

/// A Narset's past: its inputs turn by turn, and whether it decided each. The entries that
/// narset_choice names are enough, and so are the others' below.
[[nodiscard]] std::vector<TurnRecord> narset_records(const std::vector<JournalEntry>& entries,
                                                     RegionId region);
[[nodiscard]] EntryChoice narset_choice(RegionId region);
/// One turn of it. `answers`: Tamiyo's of the turn before.
[[nodiscard]] TurnRecord narset_record(const ClosedTurn& turn, RegionId region,
                                       const std::vector<Answers>& answers);
/// Tamiyo's past: what each turn gave it to decide from, and whether it decided.
[[nodiscard]] std::vector<TurnRecord> tamiyo_records(const std::vector<JournalEntry>& entries);
[[nodiscard]] EntryChoice tamiyo_choice();
[[nodiscard]] TurnRecord tamiyo_record(const ClosedTurn& turn);
/// The commands of each turn with the sequence of its last entry, of whichever kind that is:
/// nothing can be left out. `head_at`: the chain's hash after an entry, as of JournalStore.
[[nodiscard]] std::vector<TurnRelease> release_records(
    const std::vector<JournalEntry>& entries,
    const std::function<std::string(std::uint64_t sequence)>& head_at);

/// Tamiyo's answers in that turn; none when it was absent.
[[nodiscard]] std::vector<Answers> answers_in(const ClosedTurn& turn);
/// The newest checkpoint that a copy for Elesh was taken of.
[[nodiscard]] std::optional<CheckpointReady> newest_copy_in(
    const std::vector<JournalEntry>& entries);
[[nodiscard]] EntryChoice copy_choice();
/// The blueprints and sheets that the run began with.
[[nodiscard]] std::optional<Catalogue> catalogue_in(const std::vector<JournalEntry>& entries);
/// The host as it was launched.
[[nodiscard]] std::optional<HostDescription> host_in(const std::vector<JournalEntry>& entries);

}  // namespace esper
