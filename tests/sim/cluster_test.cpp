// Several nodes in virtual time, by the rules that decide between them.
#include <catch2/catch.hpp>

#include "sim/cluster_simulation.hpp"
#include "sim/seed_text.hpp"
#include "tests/test_seed.hpp"

namespace esper::sim::cluster {

SCENARIO("a cluster keeps its promises under faults, and trains to the end",
         "[cluster][COMMIT-1][FENCE-1][LEDGER-1][LEDGER-2][ESCAPE-1]") {
  ClusterOptions options;
  options.seed = test_seed();
  for (int i = 0; i < 20; ++i, ++options.seed) {
    const auto result = simulate_cluster(options);
    INFO("esper sim --cluster --seed " << options.seed);
    for (const auto& violation : result.violations)
      FAIL_CHECK(violation.invariant << " at " << violation.at_ms << " ms: " << violation.what);
    CHECK(result.steps > 300);
    CHECK(result.groups > 0);
    CHECK(result.applied > 0);
  }
}

SCENARIO("one seed of a cluster has one trace", "[cluster]") {
  ClusterOptions options;
  for (options.seed = 1; options.seed <= 5; ++options.seed)
    CHECK(simulate_cluster(options).hash == simulate_cluster(options).hash);
  options.lines_kept = true;
  const auto told = simulate_cluster(options);
  options.lines_kept = false;
  CHECK(told.hash == simulate_cluster(options).hash);
  CHECK_FALSE(told.lines.empty());
}

SCENARIO("without faults a cluster forms one group, and nobody moves", "[cluster]") {
  ClusterOptions options;
  options.faults.emplace();
  for (options.seed = 1; options.seed <= 10; ++options.seed) {
    const auto result = simulate_cluster(options);
    INFO("seed " << options.seed);
    CHECK(result.passed());
    CHECK(result.groups == 1);
    CHECK(result.moves == 0);
    CHECK(result.takeovers == 0);
    CHECK(result.applied > 50);
  }
}

SCENARIO("a range of seeds is read or refused", "[cluster]") {
  std::uint64_t first = 0, last = 0;
  CHECK(read_range("3..17", first, last));
  CHECK(first == 3);
  CHECK(last == 17);
  for (const char* none : {"", "3", "17..3", "..3", "3..", "3..x", "-1..3"})
    CHECK_FALSE(read_range(none, first, last));
  CHECK(hex(0xab) == "00000000000000ab");
}

}  // namespace esper::sim::cluster
