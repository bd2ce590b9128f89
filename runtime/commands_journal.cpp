#include <algorithm>
#include <iostream>
#include <limits>

#include "messages/json.hpp"
#include "runtime/account.hpp"
#include "runtime/commands.hpp"
#include "runtime/journal_kinds.hpp"
#include "runtime/listed.hpp"
#include "runtime/report.hpp"
#include "runtime/told_run.hpp"
#include "runtime/whole_number.hpp"

namespace esper {
namespace {

struct WindowSpan {
  Window from{0}, to{std::numeric_limits<std::uint64_t>::max()};
};

std::optional<WindowSpan> span_of(std::string_view text) {
  if (text.empty()) return WindowSpan{};
  const auto dash = text.find('-');
  const auto from = whole_number(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : whole_number(text.substr(dash + 1));
  if (!from || !to || *to < *from) return std::nullopt;
  return WindowSpan{{*from}, {*to}};
}

/// Which entries are asked for.
struct EventFilter {
  std::vector<std::string> kinds;       ///< empty: all
  std::optional<std::uint64_t> region;  ///< none: all
  WindowSpan windows;
};

/// Entries of a region come from Narsets, or are facts about one that others give.
bool is_regional(const JournalEntry& entry) {
  return entry.role == Role::narset || entry.kind == RegionTelemetry::schema.name ||
         entry.kind == Outcome::schema.name;
}

bool passes(const EventFilter& filter, const JournalEntry& entry) {
  const auto& kinds = filter.kinds;
  return (kinds.empty() || std::find(kinds.begin(), kinds.end(), entry.kind) != kinds.end()) &&
         (!filter.region || (is_regional(entry) && entry.region.value == *filter.region)) &&
         entry.window >= filter.windows.from && entry.window <= filter.windows.to;
}

/// None: a trouble has been told.
std::optional<EventFilter> filter_of(const EventOptions& options,
                                     const std::vector<std::string>& regions) {
  EventFilter filter{options.kinds, std::nullopt, {}};
  const auto names = journal_kind_names();
  for (const auto& kind : filter.kinds)
    if (std::find(names.begin(), names.end(), kind) == names.end()) {
      std::cerr << "there is no kind " << kind << "; there are " << listed(names) << '\n';
      return std::nullopt;
    }
  const auto span = span_of(options.window);
  if (!span) {
    std::cerr << "--window takes a number or a span such as 3-9, not " << options.window << '\n';
    return std::nullopt;
  }
  filter.windows = *span;
  if (options.region.empty()) return filter;
  const auto found = std::find(regions.begin(), regions.end(), options.region);
  filter.region = found != regions.end() ? std::optional<std::uint64_t>(found - regions.begin())
                                         : whole_number(options.region);
  if (filter.region && (regions.empty() || *filter.region < regions.size())) return filter;
  std::cerr << "there is no region " << options.region << "; there are " << listed(regions) << '\n';
  return std::nullopt;
}

void print_entry(const JournalEntry& entry, const std::vector<std::string>& regions,
                 OutputFormat output) {
  const bool named = is_regional(entry) && entry.region.value < regions.size();
  if (output == OutputFormat::json) {
    auto json = to_json(entry, Floats::plain);
    json["payload"] = readable_payload(entry.payload);
    json["measured"] = readable_payload(entry.measured);
    if (named) json["region_name"] = regions[entry.region.value];
    std::cout << json.dump() << '\n';
    return;
  }
  std::cout << entry.sequence << "  window " << entry.window.value << "  " << name_of(entry.role);
  if (named) std::cout << '.' << regions[entry.region.value];
  std::cout << "  " << entry.kind;
  if (entry.cause != 0) std::cout << "  because of " << entry.cause;
  std::cout << "  " << readable_payload(entry.payload).dump();
  if (!entry.measured.empty())
    std::cout << "  measured " << readable_payload(entry.measured).dump();
  std::cout << '\n';
}

}  // namespace

ExitCode command_ledger(const std::filesystem::path& directory, OutputFormat output) {
  const auto run = told_run(directory);
  if (run.nothing()) return run.exit;
  return guarded(run, [&] {
    const auto account = account_of(run.entries, cycle_windows_in(run.entries));
    if (output == OutputFormat::json) {
      const nlohmann::json json{{"energy", to_json(account.energy, Floats::plain)},
                                {"cycles", to_json(account.cycles, Floats::plain)}};
      std::cout << json.dump(2) << '\n';
    } else {
      print_ledger(std::cout, account);
    }
    return run.exit;
  });
}

ExitCode command_events(const EventOptions& options) {
  const auto run = told_run(options.directory);
  if (run.nothing()) return run.exit;
  return guarded(run, [&] {
    const auto regions = region_names_in(run.entries);
    const auto filter = filter_of(options, regions);
    if (!filter) return ExitCode::usage;
    for (const auto& entry : run.entries)
      if (passes(*filter, entry)) print_entry(entry, regions, options.output);
    return run.exit;
  });
}

}  // namespace esper
