#pragma once
// How the commands that read a run tell its troubles.
#include <iostream>

#include "runtime/read_run.hpp"

namespace esper {

/// The run with its troubles told.
[[nodiscard]] inline ReadRun told_run(const std::filesystem::path& directory) {
  auto run = read_run(directory);
  for (const auto& trouble : run.troubles) std::cerr << trouble << '\n';
  return run;
}

/// Calls `work` on entries that an edit may have made unreadable: told, then, and exit 5.
template <typename Work>
[[nodiscard]] ExitCode guarded(const ReadRun& run, Work&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (run.exit != ExitCode::invariant) throw;
    std::cerr << "no more can be read: " << error.what() << '\n';
    return ExitCode::invariant;
  }
}

}  // namespace esper
