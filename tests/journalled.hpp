#pragma once
// A journal's entries of one kind, as the messages that they hold.
#include <vector>

#include "messages/audit.hpp"
#include "messages/json.hpp"

namespace esper {

template <typename T>
struct Journalled {
  Window window;
  RegionId region;
  T said;
};

/// All entries that hold a `T`, in the journal's order.
template <typename T>
std::vector<Journalled<T>> journalled(const std::vector<JournalEntry>& entries) {
  std::vector<Journalled<T>> found;
  for (const auto& entry : entries)
    if (entry.kind == T::schema.name)
      found.push_back({entry.window, entry.region, parsed<T>(entry.payload)});
  return found;
}

}  // namespace esper
