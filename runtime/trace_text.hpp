#pragma once
// One journal entry as a sentence for people.
#include <string>

#include "messages/audit.hpp"
#include "messages/host.hpp"

namespace esper {

/// What the entry says, without its role and window; "" for a kind that no trace shows.
/// Errors: throws MalformedJson or nlohmann's errors when the payload is not what its kind says.
[[nodiscard]] std::string sentence_for(const JournalEntry& entry, const HostDescription& host);

}  // namespace esper
