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
  /// fine; usage: nothing to read there; unreachable: its database does not answer; invariant:
  /// chain or seal is broken
  ExitCode exit{};

  /// There are no entries to work on.
  [[nodiscard]] bool nothing() const {
    return exit == ExitCode::usage || exit == ExitCode::unreachable;
  }
};

/// Reads the journal whole, checks its chain, and where a report stands beside it the seal and the
/// head that the report keeps (AUDIT-1). Changes nothing.
[[nodiscard]] ReadRun read_run(const std::filesystem::path& directory);

/// Windows per cycle as the journal's opening says; the default where it has none.
[[nodiscard]] std::uint32_t cycle_windows_in(const std::vector<JournalEntry>& entries);

/// The regions' names in order, as the journal's opening says.
[[nodiscard]] std::vector<std::string> region_names_in(const std::vector<JournalEntry>& entries);

}  // namespace esper
