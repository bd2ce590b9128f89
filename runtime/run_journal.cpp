#include "runtime/run_journal.hpp"

#include <array>
#include <fstream>
#include <random>

#include "messages/json.hpp"
#include "runtime/journal.hpp"
#include "runtime/postgresql/postgres_journal.hpp"

namespace esper {
namespace {

template <typename Made>
MadeJournal widened(Made made) {
  if (!made) return made.refusal();
  return std::unique_ptr<JournalBook>{std::move(made.value())};
}

/// Never twice, whatever the seed: it names no decision, and two runs of one seed are two runs.
std::string fresh_run(const std::string& name) {
  std::random_device entropy;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string run = name + "-";
  for (int i = 0; i < 24; ++i) run += digits[entropy() % digits.size()];
  return run;
}

PostgresPlace place_of(const ClusterConfig& cluster, std::string run) {
  return {cluster.database, std::move(run), cluster.timeouts};
}

/// Before there is anything in the database: a process that is killed in between is resumed to a
/// new journal of that name.
MadeJournal create_in_postgresql(const RunConfig& config, const RunDirectory& directory) {
  const auto run = fresh_run(config.name);
  if (!keep_run_name(directory, run))
    return JournalFault{JournalProblem::disk,
                        directory.journal_run().string() + " can't be written"};
  return widened(PostgresJournal::create(place_of(config.cluster, run)));
}

}  // namespace

std::string run_name_of(const RunDirectory& directory) {
  std::ifstream input{directory.journal_run()};
  std::string run;
  std::getline(input, run);
  return run;
}

bool keep_run_name(const RunDirectory& directory, const std::string& run) {
  return write_file(directory.journal_run(), run + "\n");
}

MadeJournal stand_by_journal(const ClusterConfig& cluster, const std::string& run,
                             const std::atomic<bool>& stop) {
  return widened(PostgresJournal::stand_by(place_of(cluster, run), stop));
}

MadeJournal create_journal(const RunConfig& config, const RunDirectory& directory) {
  if (config.cluster.journal == JournalBackend::postgresql)
    return create_in_postgresql(config, directory);
  return widened(Journal::create(directory.journal()));
}

MadeJournal resume_journal(const RunConfig& config, const RunDirectory& directory) {
  if (config.cluster.journal != JournalBackend::postgresql)
    return widened(Journal::resume(directory.journal()));
  const auto run = run_name_of(directory);
  if (run.empty()) return create_in_postgresql(config, directory);
  return widened(PostgresJournal::resume(place_of(config.cluster, run)));
}

MadeJournal open_journal(const RunDirectory& directory) {
  if (has_journal_file(directory)) return widened(Journal::open(directory.journal()));
  std::ifstream input{directory.config()};
  const auto json = nlohmann::json::parse(input, nullptr, false);
  RunConfig config;
  try {
    from_json(json.at("cluster"), config.cluster);
  } catch (const std::exception&) {
    return JournalFault{JournalProblem::missing,
                        directory.config().string() + " does not say where the journal stands"};
  }
  return widened(PostgresJournal::open(place_of(config.cluster, run_name_of(directory))));
}

bool has_journal_file(const RunDirectory& directory) {
  std::error_code ignored;
  return !std::filesystem::exists(directory.journal_run(), ignored);
}

}  // namespace esper
