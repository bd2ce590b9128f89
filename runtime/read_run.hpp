#pragma once
// An earlier or a living run as the commands that only read see it.
#include <filesystem>
#include <string>
#include <vector>

#include "messages/audit.hpp"
#include "runtime/exit_code.hpp"

namespace esper {

struct ReadRun {
  std::vector<JournalEntry> entries;
  std::vector<std::string> troubles;  ///< for people, with the path
  ExitCode exit{};  ///< fine; usage: nothing to read there; invariant: chain or seal is broken
};

/// Reads the journal whole, checks its chain, and where a report stands beside it the seal and the
/// head that the report keeps (AUDIT-1). Changes nothing.
[[nodiscard]] ReadRun read_run(const std::filesystem::path& directory);

/// Windows per cycle as the journal's opening says; the default where it has none.
[[nodiscard]] std::uint32_t cycle_windows_in(const std::vector<JournalEntry>& entries);

/// The regions' names in order, as the journal's opening says.
[[nodiscard]] std::vector<std::string> region_names_in(const std::vector<JournalEntry>& entries);

}  // namespace esper
