#pragma once
// Builds a journal's entries with little writing.
#include <vector>

#include "messages/audit.hpp"
#include "messages/json.hpp"

namespace esper {

class Entries {
 public:
  template <typename T>
  void add(std::uint64_t window, Role role, std::uint32_t region, const T& message) {
    JournalEntry entry;
    entry.sequence = list.size() + 1;
    entry.window = {window};
    entry.role = role;
    entry.region = {region};
    entry.kind = T::schema.name;
    entry.payload = canonical(message);
    list.push_back(std::move(entry));
  }
  std::vector<JournalEntry> list;
};

}  // namespace esper
