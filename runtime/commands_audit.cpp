// What the decisions of a run came from, and whether they can be made again.
#include <iostream>

#include "messages/json.hpp"
#include "runtime/commands.hpp"
#include "runtime/listed.hpp"
#include "runtime/replay.hpp"
#include "runtime/report.hpp"
#include "runtime/told_run.hpp"
#include "runtime/trace.hpp"

namespace esper {
namespace {

void print_difference(const std::string& directory, const ReplayDifference& first) {
  std::cerr << directory << ": window " << first.window.value << ", " << name_of(first.role);
  if (first.role == Role::narset) std::cerr << " of region " << first.region.value;
  std::cerr << ": the first decision that differs is a " << first.kind;
  if (first.sequence != 0) std::cerr << " (entry " << first.sequence << ')';
  for (const auto& field : first.fields)
    std::cerr << "\n  " << (field.place.empty() ? "the whole entry" : field.place)
              << ": the journal says " << (field.journalled.empty() ? "nothing" : field.journalled)
              << ", replay " << (field.replayed.empty() ? "nothing" : field.replayed);
  std::cerr << "\n  decided from";
  for (const auto& input : first.inputs)
    std::cerr << ' ' << input.kind << " (entry " << input.sequence << ')';
  std::cerr << '\n';
}

void print_replays(const std::vector<ReplayResult>& results, const ReplayOptions& options) {
  Table table{{"decision"}};
  for (const auto& directory : options.directories) table[0].push_back(directory.string());
  if (results.size() > 1) table[0].emplace_back("all");
  auto columns = results;
  if (results.size() > 1) columns.push_back(together(results));
  for (std::size_t kind = 0; kind < columns.front().agreed.size(); ++kind) {
    auto& row = table.emplace_back();
    row.push_back(columns.front().agreed[kind].what);
    for (const auto& column : columns) row.push_back(std::to_string(column.agreed[kind].count));
  }
  auto& decisions = table.emplace_back(std::vector<std::string>{"decisions"});
  for (const auto& column : columns) decisions.push_back(std::to_string(column.decisions));
  auto& differing = table.emplace_back(std::vector<std::string>{"differing"});
  for (const auto& column : columns) differing.push_back(std::to_string(column.differing));
  print_table(std::cout, table);
}

/// Kinds that none of the runs decided anything of; told.
bool every_kind(const std::vector<ReplayResult>& results) {
  std::vector<std::string> none;
  for (const auto& [kind, count] : together(results).agreed)
    if (count == 0) none.push_back(kind);
  if (!none.empty())
    std::cerr << "no decision of these kinds was replayed: " << listed(none) << '\n';
  return none.empty();
}

}  // namespace

ExitCode command_replay(const ReplayOptions& options) {
  std::vector<ReplayResult> results;
  auto exit = ExitCode::fine;
  for (const auto& directory : options.directories) {
    const auto run = told_run(directory);
    if (run.nothing()) return run.exit;
    if (run.exit != ExitCode::fine) exit = run.exit;
    try {
      results.push_back(replay(run.entries));
    } catch (const std::exception& error) {
      std::cerr << directory.string() << ": the journal can't be replayed: " << error.what()
                << " (it is damaged, or another version wrote it)\n";
      return run.exit == ExitCode::fine ? ExitCode::failed : run.exit;
    }
    if (!results.back().first) continue;
    exit = ExitCode::invariant;
    print_difference(directory.string(), *results.back().first);
  }
  if (options.output == OutputFormat::json) {
    auto runs = nlohmann::json::array();
    for (const auto& result : results) runs.push_back(to_json(result, Floats::plain));
    std::cout << runs.dump(2) << '\n';
  } else {
    print_replays(results, options);
  }
  if (options.every_kind && !every_kind(results) && exit == ExitCode::fine) return ExitCode::failed;
  return exit;
}

ExitCode command_trace(const TraceOptions& options) {
  const auto run = told_run(options.directory);
  if (run.nothing()) return run.exit;
  return guarded(run, [&] {
    const auto regions = region_names_in(run.entries);
    const auto id = trace_id(options.id, regions);
    if (!id) {
      std::cerr << options.id
                << " is no id: give command:REGION.EPOCH.NUMBER, reservation:REGION.NUMBER, "
                   "surgery:CHECKPOINT or entry:NUMBER; regions are "
                << listed(regions) << '\n';
      return ExitCode::usage;
    }
    const auto roots = trace(run.entries, *id);
    if (roots.empty()) {
      std::cerr << options.directory.string() << " has no " << options.id << '\n';
      return ExitCode::usage;
    }
    if (options.output == OutputFormat::json)
      std::cout << to_json(roots, Floats::plain).dump(2) << '\n';
    else
      print_trace(std::cout, roots);
    return run.exit;
  });
}

}  // namespace esper
