#pragma once
// One whole run: the grown model, its baselines, the report and the seal.
#include "runtime/cluster/standing_by.hpp"
#include "runtime/exit_code.hpp"
#include "runtime/progress.hpp"
#include "runtime/report.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

struct RunStart {
  /// Of a run that was killed or interrupted; its directory was opened by RunDirectory::resume. It
  /// goes on from the newest whole checkpoint.
  bool resume = false;
  /// Of nodes; empty: as the config and the directory have it.
  std::filesystem::path certificates = {};
  std::string node = {};  ///< this one, of the config; "": its prime
  /// The run goes on here, whose prime is lost; its journal is moved from.
  StoodBy* lead = nullptr;
};

/// Trains everything that `config` asks for and leaves a sealed directory with a report, also when
/// it fails or is stopped on the way. The report's `exit` says how it went and `error` why.
/// Of a config with nodes this process is the prime; the others must come from elsewhere.
[[nodiscard]] RunReport train_and_report(const RunConfig& config, TrainingFactory& factory,
                                         const RunDirectory& directory,
                                         const std::atomic<bool>& stop, ProgressLine& progress,
                                         const RunStart& start = {});

}  // namespace esper
