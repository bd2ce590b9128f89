#pragma once
// The same run once more with nothing cut, to compare with.
#include <filesystem>
#include <memory>

#include "runtime/journal_book.hpp"
#include "runtime/telemetry_export.hpp"

namespace esper {

/// What the tree of the run that cuts nothing reaches: it lives as long as the TrainingRun, in case
/// a handler outlives the tree's stop.
struct UncutRun {
  UncutRun(RunConfig own, std::unique_ptr<JournalBook> made, const std::filesystem::path& log_file)
      : config(std::move(own)), journal(std::move(made)), log(log_file) {}
  RunConfig config;
  std::unique_ptr<JournalBook> journal;
  RegistryMetrics metrics;
  JsonLog log;
  std::unique_ptr<Training> training;  ///< where a handler did
};

}  // namespace esper
