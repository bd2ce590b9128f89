#pragma once
// A run's report from what its directory holds: as it was written, or, where the run was killed,
// from the journal alone, as far as that goes.
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/exit_code.hpp"
#include "runtime/report.hpp"

namespace esper {

/// The report of a run that wrote none: what the journal tells, and in `missing` what it can't.
/// `config`: the text of config.json, which has the name and the pace; may be "". Entries that an
/// edit has made unreadable, and all after them, are left out and said to be. Pure.
[[nodiscard]] RunReport recounted(const std::vector<JournalEntry>& entries,
                                  std::string_view config);

struct FoundReport {
  std::string json;  ///< report.json's text, or its like from the journal; "": none
  std::vector<std::string> troubles;  ///< for people, with the path
  ExitCode exit{};  ///< fine; usage: nothing to read there; invariant: chain or seal is broken
};

/// Changes nothing.
[[nodiscard]] FoundReport find_report(const std::filesystem::path& directory);

}  // namespace esper
