#pragma once
// One whole run: the grown model, its baselines, the report and the seal.
#include "runtime/exit_code.hpp"
#include "runtime/progress.hpp"
#include "runtime/report.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

/// Trains everything that `config` asks for and leaves a sealed directory with a report, also when
/// it fails or is stopped on the way. The report's `exit` says how it went and `error` why.
/// `resume`: of a run that was killed or interrupted; its directory was opened by
/// RunDirectory::resume. It goes on from the newest whole checkpoint.
[[nodiscard]] RunReport train_and_report(const RunConfig& config, TrainingFactory& factory,
                                         const RunDirectory& directory,
                                         const std::atomic<bool>& stop, Progress& progress,
                                         bool resume = false);

}  // namespace esper
