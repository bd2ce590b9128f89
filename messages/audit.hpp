#pragma once
// The journal's rows. The decision hash runs over logical parts, the chain over both parts.
#include "messages/schema.hpp"
#include "messages/turn.hpp"

namespace esper {

struct JournalEntry {
  std::uint64_t sequence{};  ///< from 1, without gaps
  Window window;             ///< 0: before the first window
  Role role{};
  RegionId region;          ///< 0 where the role has no region
  std::uint32_t ordinal{};  ///< within (window, role, region)
  std::string kind;         ///< schema name of the payload
  std::uint64_t cause{};    ///< sequence of the entry that this one follows from; 0: none
  std::string payload;      ///< canonical JSON, the logical part
  std::string measured;     ///< canonical JSON, the measured part; "" when none

  static constexpr auto schema =
      record("JournalEntry", field("sequence", &JournalEntry::sequence),
             field("window", &JournalEntry::window), field("role", &JournalEntry::role),
             field("region", &JournalEntry::region), field("ordinal", &JournalEntry::ordinal),
             field("kind", &JournalEntry::kind), field("cause", &JournalEntry::cause),
             field("payload", &JournalEntry::payload), field("measured", &JournalEntry::measured));
};

}  // namespace esper
