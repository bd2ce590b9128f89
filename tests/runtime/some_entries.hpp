#pragma once
// Entries for tests of what keeps them: whatever they say, each differs from the others.
#include <string>
#include <vector>

#include "messages/audit.hpp"

namespace esper {

inline JournalEntry some_entry(std::uint64_t sequence, std::uint64_t window, std::string payload) {
  JournalEntry made;
  made.sequence = sequence;
  made.window = {window};
  made.role = Role::narset;
  made.region = {static_cast<std::uint32_t>(sequence % 3)};
  made.ordinal = static_cast<std::uint32_t>(sequence);
  made.kind = "RegionReport";
  made.payload = std::move(payload);
  made.measured = "{\"seconds\":" + std::to_string(sequence) + "}";
  return made;
}

/// Two to a window.
inline std::vector<JournalEntry> some_entries(std::uint64_t count, std::uint64_t first = 1) {
  std::vector<JournalEntry> made;
  for (std::uint64_t i = first; i < first + count; ++i)
    made.push_back(some_entry(i, (i + 1) / 2, "{\"value\":" + std::to_string(i) + "}"));
  return made;
}

}  // namespace esper
