#pragma once
// AUDIT-1: a journal's decisions made again from its inputs, and compared one by one. No tensors.
#include <string>
#include <vector>

#include "actors/decisions/planting.hpp"
#include "messages/audit.hpp"
#include "runtime/account.hpp"

namespace esper {

/// An entry that a decision was made from.
struct ReplayInput {
  std::uint64_t sequence{};
  std::string kind;

  static constexpr auto schema = record("ReplayInput", field("sequence", &ReplayInput::sequence),
                                        field("kind", &ReplayInput::kind));
};

/// One field of a decision that the journal and the functions fill differently.
struct ReplayField {
  std::string place;       ///< JSON pointer; "": the whole entry
  std::string journalled;  ///< there, as JSON; "": nothing
  std::string replayed;

  static constexpr auto schema = record("ReplayField", field("place", &ReplayField::place),
                                        field("journalled", &ReplayField::journalled),
                                        field("replayed", &ReplayField::replayed));
};

/// One decision on which the journal and the functions disagree.
struct ReplayDifference {
  Window window;
  Role role{};
  RegionId region;
  std::string kind;
  std::uint64_t sequence{};  ///< of the journal's entry; 0: it has none, the functions decide one
  std::vector<ReplayField> fields;  ///< at least one, not all of many
  std::vector<ReplayInput> inputs;

  static constexpr auto schema = record(
      "ReplayDifference", field("window", &ReplayDifference::window),
      field("role", &ReplayDifference::role), field("region", &ReplayDifference::region),
      field("kind", &ReplayDifference::kind), field("sequence", &ReplayDifference::sequence),
      field("fields", &ReplayDifference::fields), field("inputs", &ReplayDifference::inputs));
};

struct ReplayResult {
  std::uint64_t turns{}, decisions{}, differing{};
  std::vector<Counted> agreed;  ///< by kind, every kind, also those with none
  std::optional<ReplayDifference> first;

  static constexpr auto schema = record(
      "ReplayResult", field("turns", &ReplayResult::turns),
      field("decisions", &ReplayResult::decisions), field("differing", &ReplayResult::differing),
      field("agreed", &ReplayResult::agreed), field("first", &ReplayResult::first));
};

/// Makes every decision again and compares. A Narset's entries are decisions but for what it read
/// back; Emrakul's and Tamiyo's parts are one each, and the verdicts, leases and orders inside
/// Tamiyo's are counted beside it, under their own names.
/// Errors: throws MalformedJson or nlohmann's errors when the journal has no opening, or an entry
/// is not what its kind says. `planting`: the tactic of its own that the run was given.
[[nodiscard]] ReplayResult replay(const std::vector<JournalEntry>& entries,
                                  const PlantingTactic& planting = {});

/// Sums of several runs.
[[nodiscard]] ReplayResult together(const std::vector<ReplayResult>& results);

}  // namespace esper
