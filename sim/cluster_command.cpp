#include "sim/cluster_command.hpp"

#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "sim/cluster_simulation.hpp"
#include "sim/seed_text.hpp"

namespace esper {

namespace {

using sim::hex;
using sim::cluster::ClusterOptions;
using sim::cluster::ClusterResult;

constexpr std::size_t trace_lines_shown = 60;

void print_verdict(const ClusterResult& result) {
  for (const auto& violation : result.violations)
    std::cout << "  " << violation.invariant << " at " << violation.at_ms
              << " ms: " << violation.what << '\n';
  std::cout << (result.passed() ? "passed" : "FAILED") << ", trace " << hex(result.hash) << ", "
            << result.events << " events, " << result.virtual_ms / 1'000 << " virtual s, "
            << result.steps << " steps, " << result.groups << " groups, " << result.joined
            << " joined, " << result.moves << " moves, " << result.takeovers << " takeovers, "
            << result.applied << " changes\n";
}

/// The fewest faults that still break it, the end of their trace, and the command that replays it.
void print_shrunk(const ClusterResult& failed) {
  const auto small = sim::cluster::shrink_cluster(failed);
  std::cout << "shrunk in " << small.runs << " runs to " << small.kept.size() << " faults:\n";
  ClusterOptions options;
  options.seed = failed.seed;
  options.lines_kept = true;
  options.faults.emplace();
  std::string places;
  for (const auto place : small.kept) {
    options.faults->push_back(failed.faults[place - 1]);
    places += (places.empty() ? "" : ",") + std::to_string(place);
  }
  const auto again = simulate_cluster(options);
  const auto end = again.lines.size();
  for (auto i = end > trace_lines_shown ? end - trace_lines_shown : 0; i < end; ++i)
    std::cout << "  " << again.lines[i] << '\n';
  const auto& first = again.violations.front();
  std::cout << "  " << first.invariant << ": " << first.what
            << "\nreplay: esper sim --cluster --seed " << failed.seed << " --faults "
            << (places.empty() ? "0" : places) << '\n';
}

ExitCode run_one(const SimOptions& options) {
  ClusterOptions one;
  one.seed = options.seed;
  one.lines_kept = options.trace;
  const auto shape = sim::cluster::drawn_shape(one.seed);
  const auto all = cluster_faults_of(one);
  if (!options.faults.empty()) {
    one.faults.emplace();
    for (const auto place : options.faults) {
      if (place > all.size()) {
        std::cerr << "--faults " << place << ": seed " << one.seed << " has " << all.size() << '\n';
        return ExitCode::usage;
      }
      if (place > 0) one.faults->push_back(all[place - 1]);
    }
  }
  std::cout << "seed " << one.seed << ": " << shape.nodes.size() << " nodes, "
            << shape.trainers.size() << " trainers\n";
  for (const auto& fault : cluster_faults_of(one)) std::cout << "  " << told(fault, shape) << '\n';
  std::cout.flush();
  const auto result = simulate_cluster(one);
  for (const auto& line : result.lines) std::cout << line << '\n';
  print_verdict(result);
  if (!result.passed()) {
    if (options.shrink && options.faults.empty()) print_shrunk(result);
    return ExitCode::invariant;
  }
  if (!options.twice) return ExitCode::fine;
  const auto again = simulate_cluster(one);
  std::cout << "again: trace " << hex(again.hash)
            << (again.hash == result.hash ? ", the same\n" : ", ANOTHER ONE\n");
  return again.hash == result.hash ? ExitCode::fine : ExitCode::invariant;
}

struct Sums {
  std::uint64_t passed{}, failed{}, differing{}, events{}, virtual_ms{};
  std::map<std::uint64_t, std::uint64_t> hashes;  ///< by seed
  std::map<std::string, std::uint64_t> rows;      ///< what they came through
};

void add(Sums& sums, const ClusterResult& result, bool same) {
  ++(result.passed() ? sums.passed : sums.failed);
  sums.hashes[result.seed] = result.hash;
  sums.events += result.events;
  sums.virtual_ms += result.virtual_ms;
  for (const auto& fault : result.faults) ++sums.rows["fault/" + kind_name(fault.kind)];
  sums.rows["steps"] += result.steps;
  sums.rows["groups"] += result.groups;
  sums.rows["joined"] += result.joined;
  sums.rows["moves"] += result.moves;
  sums.rows["takeovers"] += result.takeovers;
  sums.rows["changes"] += result.applied;
  if (!same) {
    ++sums.differing;
    std::cout << "seed " << result.seed << ": run again, ANOTHER TRACE" << std::endl;
  }
  if (result.passed()) return;
  const auto& first = result.violations.front();
  std::cout << "seed " << result.seed << " FAILED: " << first.invariant << " at " << first.at_ms
            << " ms: " << first.what << std::endl;
}

ExitCode run_seeds(const SimOptions& options) {
  std::uint64_t first = 0, last = 0;
  if (!sim::read_range(options.seeds, first, last)) {
    std::cerr << "--seeds " << options.seeds << " is not A..B with A at most B\n";
    return ExitCode::usage;
  }
  const auto began = std::chrono::steady_clock::now();
  Sums sums;
  std::mutex mutex;
  std::atomic<std::uint64_t> next{first};
  const auto work = [&] {
    for (auto seed = next++; seed <= last; seed = next++) {
      ClusterOptions one;
      one.seed = seed;
      const auto result = simulate_cluster(one);
      const bool same = !options.twice || simulate_cluster(one).hash == result.hash;
      const std::lock_guard lock(mutex);
      add(sums, result, same);
    }
  };
  const std::uint32_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  {
    std::vector<std::jthread> workers;
    for (std::uint32_t i = 0; i < (options.jobs > 0 ? options.jobs : cores); ++i)
      workers.emplace_back(work);
  }
  if (options.hashes)
    for (const auto& [seed, hash] : sums.hashes) std::cout << seed << ' ' << hex(hash) << '\n';
  std::uint64_t empty = 0;
  std::cout << "coverage:\n";
  for (const auto& [row, times] : sums.rows) {
    empty += times == 0 ? 1 : 0;
    std::cout << "  " << row << std::string(row.size() < 36 ? 36 - row.size() : 1, ' ') << times
              << (times == 0 ? "  EMPTY" : "") << '\n';
  }
  std::cout << sums.passed << " seeds passed, " << sums.failed << " failed; " << sums.events
            << " events, " << sums.virtual_ms / 1'000 << " virtual s\n";
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  std::cerr << seconds.count() << " s: " << static_cast<double>(sums.events) / seconds.count()
            << " events/s\n";
  const bool fine = sums.failed == 0 && sums.differing == 0 && (!options.covered || empty == 0);
  return fine ? ExitCode::fine : ExitCode::invariant;
}

}  // namespace

ExitCode command_cluster(const SimOptions& options) {
  return options.seeds.empty() ? run_one(options) : run_seeds(options);
}

}  // namespace esper
