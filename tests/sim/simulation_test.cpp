// The simulator itself: a seed is one run, whatever is drawn in it, and its checks see faults.
#include "sim/simulation.hpp"

#include <catch2/catch.hpp>

#include <set>

#include "sim/shrink.hpp"
#include "tests/test_seed.hpp"

namespace esper::sim {
namespace {

SimulationOptions short_run(std::uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.regions = 6;
  options.windows = 90;
  options.must_happen = false;
  return options;
}

void check_passed(const SimulationResult& result) {
  for (const auto& violation : result.violations)
    FAIL_CHECK("seed " << result.seed << ": " << violation.invariant << " at " << violation.at_ms
                       << " ms: " << violation.what);
}

}  // namespace

SCENARIO("a simulated run is the same again from its seed, and another from another", "[sim]") {
  const std::uint64_t seed = 1 + test_seed() % 1'000'000;
  std::set<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto once = simulate(short_run(seed + i));
    check_passed(once);
    CHECK(simulate(short_run(seed + i)).hash == once.hash);
    hashes.insert(once.hash);
  }
  CHECK(hashes.size() == 3);
}

SCENARIO("a run without faults restarts nobody and grows, cuts and weans all the same", "[sim]") {
  SimulationOptions options;
  options.seed = 1 + test_seed() % 1'000'000;
  options.windows = 600;  // a seed that only grows at first leaves no pruning allowance for minutes
  options.faults.emplace();
  options.must_happen = false;
  const auto result = simulate(options);
  check_passed(result);
  CHECK(result.restarts == 0);
  CHECK(result.grafts > 0);
  CHECK(result.surgeries > 0);
}

SCENARIO("faults are drawn in every minute, and none beyond where all heals", "[sim]") {
  constexpr std::uint64_t until_ms = 400'000;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto faults = drawn_faults(seed, 16, until_ms);
    std::set<std::uint64_t> minutes;
    for (const auto& fault : faults) {
      CHECK(fault.at_ms < until_ms);
      CHECK((fault.duration_ms > 0) == has_duration(fault.kind));
      minutes.insert(fault.at_ms / 60'000);
    }
    CHECK(minutes.size() == 7);
  }
}

}  // namespace esper::sim
