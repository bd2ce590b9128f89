#include "runtime/recount.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "runtime/journal_kinds.hpp"
#include "runtime/read_file.hpp"
#include "runtime/read_run.hpp"

namespace esper {
namespace {

/// The value at `pointer`, or `otherwise` where there is none of its type.
template <typename T>
T value_at(const nlohmann::json& json, const char* pointer, T otherwise) {
  try {
    return json.at(nlohmann::json::json_pointer{pointer}).get<T>();
  } catch (const nlohmann::json::exception&) {
    return otherwise;
  }
}

template <typename Enum>
Enum name_at(const nlohmann::json& json, const char* pointer, Enum otherwise) {
  return enum_from<Enum>(value_at(json, pointer, std::string{})).value_or(otherwise);
}

void read_configs(const std::vector<JournalEntry>& entries, std::string_view config,
                  RunReport& report) {
  const auto named = nlohmann::json::parse(config, nullptr, false);
  report.name = value_at(named, "/name", std::string{"run"});
  report.pace = name_at(named, "/pace/mode", report.pace);
  const auto opening = std::find_if(entries.begin(), entries.end(), [](const JournalEntry& entry) {
    return entry.kind == config_kind;
  });
  if (opening == entries.end()) return;
  const auto logical = nlohmann::json::parse(opening->payload, nullptr, false);
  report.seed = value_at(logical, "/seed", report.seed);
  report.mode = name_at(logical, "/mode", report.mode);
  report.window_steps = value_at(logical, "/time/window_steps", report.window_steps);
}

bool is_readable(const JournalEntry& entry) {
  try {
    (void)account_of({entry}, 1);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// Up to the first entry whose payload is not what its kind says.
RunAccount account_as_far_as(const std::vector<JournalEntry>& entries, std::uint32_t cycle_windows,
                             std::vector<std::string>& missing) {
  try {
    return account_of(entries, cycle_windows);
  } catch (const std::exception&) {
    const auto broken = std::find_if_not(entries.begin(), entries.end(), is_readable);
    missing.push_back("everything from entry " +
                      std::to_string(broken == entries.end() ? 1 : broken->sequence) +
                      " of the journal on, which can't be read");
    if (broken == entries.end()) return {};
    return account_of({entries.begin(), broken}, cycle_windows);
  }
}

}  // namespace

RunReport recounted(const std::vector<JournalEntry>& entries, std::string_view config) {
  RunReport report;
  report.version = "unknown";
  report.first_irreproducible = "the run ended early";
  report.error = "the run wrote no report: it was killed, or is still going on";
  report.exit = number_of(ExitCode::failed);
  read_configs(entries, config, report);
  report.cycle_windows = cycle_windows_in(entries);
  report.missing = {"the finished models: their accuracy on the test split, their size and latency",
                    "the other arms and their loss", "breakers that stood open",
                    "the seal of the journal"};
  report.account = account_as_far_as(entries, report.cycle_windows, report.missing);
  JournalHashes hashes;
  for (const auto& entry : entries) hashes = followed_by(hashes, entry);
  report.journal_hash = hashes.decision;
  conclude(report);
  return report;
}

FoundReport find_report(const std::filesystem::path& path) {
  auto run = read_run(path);
  FoundReport found{"", std::move(run.troubles), run.exit};
  const auto written = read_file(path / "report.json").value_or("");
  if (nlohmann::json::parse(written, nullptr, false).is_object()) {
    found.json = written;
    if (found.exit == ExitCode::usage) found.exit = ExitCode::invariant;  // the journal is gone
    return found;
  }
  if (run.nothing()) return found;
  found.json = report_json(recounted(run.entries, read_file(path / "config.json").value_or("")));
  return found;
}

}  // namespace esper
