#pragma once
// From which checkpoint a run that was killed goes on.
#include <string>
#include <vector>

#include "messages/interfaces.hpp"
#include "messages/result.hpp"
#include "runtime/exit_code.hpp"
#include "runtime/launch.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

struct ResumeFault {
  ExitCode exit{};
  std::string sentence;
};

struct ResumeChoice {
  ResumePoint point;
  std::vector<std::string> passed_over;  ///< checkpoints that are damaged, one sentence each
};

/// The newest whole one; without one the run begins anew. Errors: the journal ends before the cut
/// of a whole checkpoint, or has another hash there: it lost its tail, or is not this run's.
[[nodiscard]] Result<ResumeChoice, ResumeFault> choose_checkpoint(
    const std::vector<CheckpointFound>& found, const JournalBook& journal);

/// The same, told to the log and to people. Nothing: the run was killed before it began.
[[nodiscard]] Result<std::optional<ResumePoint>, ResumeFault> go_on_from(
    const std::vector<CheckpointFound>& found, const JournalBook& journal, Log& log,
    const std::function<void(const std::string&)>& tell);

/// Of a run that was killed, interrupted, or failed: its report, whose seal the first turn would
/// break, is gone. "": it may be gone on with; else why not.
[[nodiscard]] std::string begin_again(const RunDirectory& directory);

}  // namespace esper
