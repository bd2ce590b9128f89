#include "sim/command.hpp"

#include <atomic>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "sim/cluster_command.hpp"
#include "sim/seed_text.hpp"
#include "sim/shrink.hpp"

namespace esper {

namespace {

using sim::hex;
using sim::SimulationResult;

constexpr std::uint32_t shrink_runs_max = 60;
constexpr std::size_t trace_lines_shown = 60;

void print_faults(const std::vector<Fault>& faults) {
  for (const auto& fault : faults) std::cout << "  " << told(fault) << '\n';
}

void print_verdict(const SimulationResult& result) {
  for (const auto place : result.unfired)
    std::cout << "  never fired: " << told(result.faults[place]) << '\n';
  for (const auto& violation : result.violations)
    std::cout << "  " << violation.invariant << " at " << violation.at_ms
              << " ms: " << violation.what << '\n';
  std::cout << (result.passed() ? "passed" : "FAILED") << ", trace " << hex(result.hash) << ", "
            << result.events << " events, " << result.virtual_ms / 1'000 << " virtual s, "
            << result.grafts << " grafts, " << result.surgeries << " surgeries, " << result.restarts
            << " restarts, " << result.entries << " journal entries\n";
  std::cerr << result.real_seconds << " s, "
            << static_cast<double>(result.virtual_ms) / 1'000 / result.real_seconds
            << " virtual over real, " << static_cast<double>(result.events) / result.real_seconds
            << " events/s\n";
}

/// The smallest rehearsal that still fails, the command that replays it, and the end of its trace.
void print_shrunk(const sim::Rehearsal& from, const SimulationResult& failed) {
  const auto small = sim::shrink(from, failed, shrink_runs_max);
  const std::string file = "failed-" + std::to_string(from.seed) + ".json";
  std::ofstream{file} << rehearsal_text(small.rehearsal);
  std::cout << "shrunk in " << small.runs << " runs to " << small.rehearsal.faults.size()
            << " faults, " << small.rehearsal.regions << " regions, " << small.rehearsal.windows
            << " windows:\n";
  print_faults(small.rehearsal.faults);
  const auto again = sim::rehearse(small.rehearsal, true);
  if (again.violations.empty()) return;
  const auto& first = again.violations.front();
  // What led there: the lines up to the violation's instant.
  std::size_t end = 0;
  while (end < again.lines.size() && std::stoull(again.lines[end]) <= first.at_ms) ++end;
  for (std::size_t i = end > trace_lines_shown ? end - trace_lines_shown : 0; i < end; ++i)
    std::cout << "  " << again.lines[i] << '\n';
  std::cout << "  " << first.invariant << ": " << first.what << "\nreplay: esper sim --rehearsal "
            << file << '\n';
}

ExitCode run_one(const SimOptions& options) {
  sim::SimulationOptions one;
  one.seed = options.seed;
  one.events_kept = options.trace;
  std::cout << "seed " << options.seed << '\n';
  print_faults(sim::faults_of(one));
  std::cout.flush();
  const auto result = sim::simulate(one);
  for (const auto& line : result.lines) std::cout << line << '\n';
  print_verdict(result);
  if (!result.passed()) {
    if (options.shrink) print_shrunk(rehearsal_of(one, result), result);
    return ExitCode::invariant;
  }
  if (!options.twice) return ExitCode::fine;
  const auto again = sim::simulate(one);
  std::cout << "again: trace " << hex(again.hash)
            << (again.hash == result.hash ? ", the same\n" : ", ANOTHER ONE\n");
  return again.hash == result.hash ? ExitCode::fine : ExitCode::invariant;
}

ExitCode run_rehearsal(const SimOptions& options) {
  const auto read = sim::load_rehearsal(options.rehearsal);
  for (const auto& mistake : read.mistakes) std::cerr << sentence_of(mistake) << '\n';
  if (!read.mistakes.empty()) return ExitCode::usage;
  bool possible = true;
  for (const auto& fault : read.rehearsal.faults)
    if (const auto why = sim::impossible_simulated(fault.kind); !why.empty()) {
      std::cerr << options.rehearsal << ": " << told(fault) << ": " << why << '\n';
      possible = false;
    }
  if (!possible) return ExitCode::usage;
  std::cout << read.rehearsal.name << ": " << read.rehearsal.purpose << '\n';
  print_faults(read.rehearsal.faults);
  const auto result = sim::rehearse(read.rehearsal, options.trace);
  for (const auto& line : result.lines) std::cout << line << '\n';
  print_verdict(result);
  if (!options.twice) return result.passed() ? ExitCode::fine : ExitCode::invariant;
  const auto again = sim::rehearse(read.rehearsal);
  std::cout << "again: trace " << hex(again.hash)
            << (again.hash == result.hash ? ", the same\n" : ", ANOTHER ONE\n");
  return result.passed() && again.hash == result.hash ? ExitCode::fine : ExitCode::invariant;
}

struct Sums {
  std::uint64_t passed{}, failed{}, events{}, virtual_ms{}, grafts{}, surgeries{};
  std::map<std::uint64_t, std::uint64_t> hashes;  ///< by seed
  sim::Coverage coverage;
};

void add(Sums& sums, const SimulationResult& result) {
  ++(result.passed() ? sums.passed : sums.failed);
  sums.hashes[result.seed] = result.hash;
  sums.events += result.events;
  sums.virtual_ms += result.virtual_ms;
  sums.grafts += result.grafts;
  sums.surgeries += result.surgeries;
  sums.coverage.add(result.coverage);
  if (result.passed()) return;
  const auto& first = result.violations.front();
  std::cout << "seed " << result.seed << " FAILED: " << first.invariant << " at " << first.at_ms
            << " ms: " << first.what << std::endl;
}

void print_sums(const Sums& sums, double seconds) {
  std::cout << "coverage:\n";
  for (const auto& [row, times] : sums.coverage.rows())
    std::cout << "  " << row << std::string(row.size() < 36 ? 36 - row.size() : 1, ' ') << times
              << (times == 0 ? "  EMPTY" : "") << '\n';
  std::cout << sums.passed << " seeds passed, " << sums.failed << " failed; " << sums.grafts
            << " grafts, " << sums.surgeries << " surgeries, " << sums.events << " events, "
            << sums.virtual_ms / 1'000 << " virtual s, " << sums.coverage.empty_rows().size()
            << " empty rows\n";
  std::cerr << seconds << " s: " << static_cast<double>(sums.virtual_ms) / 1'000 / seconds
            << " virtual over real, " << static_cast<double>(sums.events) / seconds
            << " events/s\n";
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
      sim::SimulationOptions one;
      one.seed = seed;
      const auto result = sim::simulate(one);
      const std::lock_guard lock(mutex);
      add(sums, result);
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
  print_sums(sums, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  const auto empty = sums.coverage.empty_rows();
  if (options.covered)
    for (const auto& row : empty) std::cout << "never came: " << row << '\n';
  const bool covered = !options.covered || empty.empty();
  return sums.failed == 0 && covered ? ExitCode::fine : ExitCode::invariant;
}

}  // namespace

ExitCode command_sim(const SimOptions& options) {
  if (options.cluster) return command_cluster(options);
  if (!options.rehearsal.empty()) return run_rehearsal(options);
  return options.seeds.empty() ? run_one(options) : run_seeds(options);
}

}  // namespace esper
