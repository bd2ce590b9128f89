#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>

#include "messages/json.hpp"
#include "runtime/account.hpp"
#include "runtime/commands.hpp"
#include "runtime/config.hpp"
#include "runtime/journal.hpp"
#include "runtime/report.hpp"
#include "runtime/run_directory.hpp"

namespace esper {
namespace {

/// A run's journal, read whole, and whether its chain holds.
struct ReadRun {
  std::vector<JournalEntry> entries;
  ExitCode exit{};
};

std::optional<ReadRun> read_run(const std::filesystem::path& path) {
  const auto directory = RunDirectory::open(path);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return std::nullopt;
  }
  const auto file = directory.value().journal();
  const auto check = Journal::verify(file);
  const auto journal = Journal::open(file);
  if (!journal) {
    std::cerr << journal.refusal().sentence << '\n';
    return std::nullopt;
  }
  ReadRun run{{}, ExitCode::fine};
  try {
    run.entries = journal.value()->read_all();
  } catch (const DatabaseError& error) {
    std::cerr << file.string() << ": " << error.what() << '\n';
    return ReadRun{{}, ExitCode::invariant};
  }
  // A live run may have written on between the check and the reading.
  if (!check.holds()) {
    std::cerr << file.string() << ": the chain breaks at entry " << check.first_broken << '\n';
    run.exit = ExitCode::invariant;
  }
  return run;
}

struct WindowSpan {
  Window from{0}, to{std::numeric_limits<std::uint64_t>::max()};
};

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<WindowSpan> span_of(std::string_view text) {
  if (text.empty()) return WindowSpan{};
  const auto dash = text.find('-');
  const auto from = whole(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : whole(text.substr(dash + 1));
  if (!from || !to) return std::nullopt;
  return WindowSpan{{*from}, {*to}};
}

std::vector<std::string> region_names(const std::vector<JournalEntry>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    if (entry.kind != HostDescription::schema.name) continue;
    for (const auto& region : parsed<HostDescription>(entry.payload).regions)
      names.push_back(region.name);
    break;
  }
  return names;
}

/// Entries of a region come from Narsets, or are facts about one that others give.
bool is_regional(const JournalEntry& entry) {
  return entry.role == Role::narset || entry.kind == RegionTelemetry::schema.name ||
         entry.kind == Outcome::schema.name;
}

void print_entry(const JournalEntry& entry, const std::vector<std::string>& regions,
                 OutputFormat output) {
  const bool named = is_regional(entry) && entry.region.value < regions.size();
  if (output == OutputFormat::json) {
    auto json = to_json(entry, Floats::plain);
    json["payload"] = nlohmann::json::parse(entry.payload, nullptr, false);
    if (!entry.measured.empty())
      json["measured"] = nlohmann::json::parse(entry.measured, nullptr, false);
    for (const auto* part : {"payload", "measured"})  // an edited entry may be no JSON any more
      if (json[part].is_discarded()) json[part] = nullptr;
    if (named) json["region_name"] = regions[entry.region.value];
    std::cout << json.dump() << '\n';
    return;
  }
  std::cout << entry.sequence << "  window " << entry.window.value << "  " << name_of(entry.role);
  if (named) std::cout << '.' << regions[entry.region.value];
  std::cout << "  " << entry.kind;
  if (entry.cause != 0) std::cout << "  because of " << entry.cause;
  std::cout << "  " << entry.payload << '\n';
}

}  // namespace

ExitCode command_ledger(const std::filesystem::path& directory, OutputFormat output) {
  const auto run = read_run(directory);
  if (!run) return ExitCode::usage;
  const auto config = load_config(directory / "config.json");
  const auto account = account_of(run->entries, std::max(config.config.time.cycle_windows, 1U));
  if (output == OutputFormat::json) {
    const nlohmann::json json{{"energy", to_json(account.energy, Floats::plain)},
                              {"cycles", to_json(account.cycles, Floats::plain)}};
    std::cout << json.dump(2) << '\n';
  } else {
    print_ledger(std::cout, account);
  }
  return run->exit;
}

ExitCode command_events(const EventOptions& options) {
  const auto span = span_of(options.window);
  if (!span) {
    std::cerr << "--window takes a number or a span such as 3-9, not " << options.window << '\n';
    return ExitCode::usage;
  }
  const auto run = read_run(options.directory);
  if (!run) return ExitCode::usage;
  const auto names = region_names(run->entries);
  std::optional<std::uint64_t> region = whole(options.region);
  const auto found = std::find(names.begin(), names.end(), options.region);
  if (found != names.end()) region = static_cast<std::uint64_t>(found - names.begin());
  if (!options.region.empty() && !region) {
    std::cerr << "there is no region " << options.region << '\n';
    return ExitCode::usage;
  }
  for (const auto& entry : run->entries) {
    const bool kind_fits =
        options.kinds.empty() ||
        std::find(options.kinds.begin(), options.kinds.end(), entry.kind) != options.kinds.end();
    const bool region_fits = !region || (is_regional(entry) && entry.region.value == *region);
    if (kind_fits && region_fits && entry.window >= span->from && entry.window <= span->to)
      print_entry(entry, names, options.output);
  }
  return run->exit;
}

}  // namespace esper
