#include "runtime/read_run.hpp"

#include <fstream>
#include <optional>

#include "messages/json.hpp"
#include "runtime/checkpoint_places.hpp"
#include "runtime/database_error.hpp"
#include "runtime/digest.hpp"
#include "runtime/journal_kinds.hpp"
#include "runtime/run_directory.hpp"
#include "runtime/run_journal.hpp"

namespace esper {
namespace {

/// The seal that a report keeps; none while the run lives, or when it was killed.
std::optional<JournalSeal> seal_in(const std::filesystem::path& report) {
  std::ifstream input{report};
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (!json.is_object() || !json.contains("seal") || !json.at("seal").is_object())
    return std::nullopt;
  JournalSeal seal;
  try {
    from_json(json.at("seal"), seal);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return seal;
}

void check_chain(const std::string& file, const JournalCheck& check,
                 const std::optional<JournalSeal>& seal, ReadRun& run) {
  if (!check.problem.empty()) run.troubles.push_back(check.problem);
  if (check.first_broken != 0)
    run.troubles.push_back(file + ": the chain breaks at entry " +
                           std::to_string(check.first_broken));
  else if (seal && !check.ends_at(seal->head_hash))
    run.troubles.push_back(file + ": the report's seal names another end after " +
                           std::to_string(seal->entries) + " entries; here are " +
                           std::to_string(check.entries));
}

/// Against every checkpoint: it knows how far the journal had come.
void check_checkpoints(const std::string& file, const JournalBook& journal,
                       const std::vector<PlacedCheckpoint>& checkpoints, ReadRun& run) {
  for (const auto& [checkpoint, place] : checkpoints) {
    if (place.journal_sequence >= journal.next_sequence())
      run.troubles.push_back(file + ": ends at entry " +
                             std::to_string(journal.next_sequence() - 1) + ", but " +
                             checkpoint.filename().string() + " was cut at entry " +
                             std::to_string(place.journal_sequence) + ": its tail is missing");
    else if (!place.journal_head.empty() &&
             journal.head_at(place.journal_sequence) != place.journal_head)
      run.troubles.push_back(file + ": entry " + std::to_string(place.journal_sequence) +
                             " has another hash than " + checkpoint.filename().string() + " knows");
  }
}

}  // namespace

ReadRun read_run(const std::filesystem::path& path) {
  ReadRun run;
  const auto directory = RunDirectory::open(path);
  if (!directory) return {{}, {directory.refusal().sentence}, ExitCode::usage};
  const bool in_file = has_journal_file(directory.value());
  const auto file = directory.value().journal();
  const auto seal = seal_in(directory.value().report());
  // Before it is opened: a file that is no database any more has a seal, too.
  if (seal && in_file && sha256_of_file(file) != seal->file_sha256)
    run.troubles.push_back(file.string() + ": the report's seal is broken: the file has changed");
  // Before the journal: a live run may cut another one meanwhile.
  const auto checkpoints = checkpoint_places(directory.value().checkpoints());
  const auto journal = open_journal(directory.value());
  const auto place = journal ? journal.value()->place() : file.string();
  try {
    if (journal) {
      if (seal && !in_file && journal.value()->digest() != seal->file_sha256)
        run.troubles.push_back(place + ": the report's seal is broken: its rows have changed");
      run.entries = journal.value()->read_all();
      // A live run may write on between reading and checking: the chain still holds then.
      check_chain(place, journal.value()->check(), seal, run);
      check_checkpoints(place, *journal.value(), checkpoints, run);
    }
  } catch (const DatabaseError& error) {
    run.troubles.push_back(place + ": " + error.what());
  }
  run.exit = run.troubles.empty() ? ExitCode::fine : ExitCode::invariant;
  if (!journal) {
    run.troubles.push_back(journal.refusal().sentence);
    const bool silent = !in_file && journal.refusal().problem == JournalProblem::disk;
    if (run.exit == ExitCode::fine) run.exit = silent ? ExitCode::unreachable : ExitCode::usage;
  }
  return run;
}

std::uint32_t cycle_windows_in(const std::vector<JournalEntry>& entries) {
  for (const auto& entry : entries) {
    if (entry.kind != config_kind) continue;
    const auto json = nlohmann::json::parse(entry.payload, nullptr, false);
    const nlohmann::json::json_pointer windows{"/time/cycle_windows"};
    if (json.is_object() && json.contains(windows) && json.at(windows).is_number_unsigned())
      return std::max(json.at(windows).get<std::uint32_t>(), 1U);
  }
  return TimeConfig{}.cycle_windows;
}

std::vector<std::string> region_names_in(const std::vector<JournalEntry>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    if (entry.kind != HostDescription::schema.name) continue;
    for (const auto& region : parsed<HostDescription>(entry.payload).regions)
      names.push_back(region.name);
    break;
  }
  return names;
}

}  // namespace esper
