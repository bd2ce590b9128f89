#pragma once
// A file of configs/ as a user would run it, with overrides: the real trainer and the whole tree.
#include <catch2/catch.hpp>

#include "runtime/config.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/journal.hpp"
#include "runtime/launch.hpp"
#include "tests/actors/memory_journal.hpp"
#include "tests/cannot_run.hpp"
#include "tests/journalled.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

struct WholeRun {
  LaunchResult result;
  std::vector<JournalEntry> entries;

  template <typename T>
  [[nodiscard]] std::vector<Journalled<T>> all() const {
    return journalled<T>(entries);
  }
  [[nodiscard]] std::size_t carried_out(CommandKind kind) const {
    std::size_t count = 0;
    for (const auto& outcome : all<Outcome>())
      count += outcome.said.kind == kind && outcome.said.refusal == CommandRefusal::none;
    return count;
  }
};

using Overrides = std::vector<std::string>;

inline RunConfig shipped_config(const char* file, const Overrides& overrides) {
  const auto parsed_config = load_config(source_directory() / "configs" / file, overrides);
  for (const auto& mistake : parsed_config.mistakes) FAIL(sentence_of(mistake));
  return parsed_config.config;
}

inline RunConfig small_config(const Overrides& overrides) {
  return shipped_config("small.json", overrides);
}

/// False, and said so: the library or its data is not on this machine.
inline bool can_train() {
  const auto library = load_gpu_library();
  if (!library) cannot_run_here(library.refusal().sentence);
  return library.has_value();
}

/// Called on the trainer's thread as a progress line is, while the run goes on.
using Watch = std::function<void(const TrainingProgress&, Training&)>;

/// One run from start to end, its journal read back from disk.
inline WholeRun run_whole(const RunConfig& config, const TelemetryFilter& filter = {},
                          const Watch& watch = {}) {
  const ScratchFolder folder;
  auto made = Journal::create(folder / "journal.db");
  REQUIRE(made.has_value());
  auto& journal = *made.value();
  SilentMetrics metrics;
  SilentLog log;
  std::unique_ptr<Training> training;
  const std::atomic<bool> stop{false};
  const auto library = load_gpu_library();
  REQUIRE(library.has_value());
  WholeRun run;
  const auto tell = [&](const TrainingProgress& now) {
    if (watch) watch(now, *training);
  };
  run.result =
      launch_grown(config, {*library.value(), journal, metrics, log, filter}, stop, tell, training);
  run.entries = journal.read_all();
  return run;
}

inline WholeRun run_small(const Overrides& overrides, const TelemetryFilter& filter = {},
                          const Watch& watch = {}) {
  return run_whole(small_config(overrides), filter, watch);
}

}  // namespace esper
