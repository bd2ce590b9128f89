// Proof that simulations of several nodes can fail: each spoilt rule is found within a stated
// number of seeds, by the promise that it breaks.
#include <catch2/catch.hpp>

#include <cstdio>
#include <iostream>

#include "actors/decisions/planted.hpp"
#include "sim/cluster_simulation.hpp"
#include "tests/planted_scope.hpp"

namespace esper::sim::cluster {
namespace {

struct Hunt {
  Planted bug;
  const char* name;
  const char* promise;      ///< that must break
  std::uint32_t seeds_max;  ///< within so many
};

constexpr Hunt hunts[]{
    {Planted::fence_forgotten, "fence_forgotten", "FENCE-1", 20},
    {Planted::ready_after_abort, "ready_after_abort", "LIVENESS", 40},
    {Planted::lease_from_stale_reply, "lease_from_stale_reply", "LEDGER-2", 10},
    {Planted::joiner_mid_change, "joiner_mid_change", "JOIN", 20},
    {Planted::furthest_wrong, "furthest_wrong", "FURTHEST", 20},
    {Planted::batch_dealt_twice, "batch_dealt_twice", "SAMPLES", 20},
    {Planted::lost_counted, "lost_counted", "QUORUM", 200},
    {Planted::deposed_append, "deposed_append", "DEPOSED", 200},
    {Planted::move_before_fence, "move_before_fence", "FENCE-1", 400},
    {Planted::escape_overlooked, "escape_overlooked", "ESCAPE-1", 100},
    {Planted::told_too_early, "told_too_early", "SETTLED", 800},
    {Planted::old_vote_counted, "old_vote_counted", "QUORUM", 1000},
};

/// The first seed in which that promise broke first, from 1 on.
std::uint64_t seeds_needed(const Hunt& hunt) {
  const PlantedScope scope(hunt.bug);
  ClusterOptions options;
  for (options.seed = 1; options.seed <= hunt.seeds_max; ++options.seed)
    for (const auto& violation : simulate_cluster(options).violations)
      if (violation.invariant == hunt.promise) return options.seed;
  return 0;
}

}  // namespace

SCENARIO("every bug planted between nodes is found within its number of seeds",
         "[sim][planted][cluster]") {
  std::cout << "bug                     breaks      seeds needed  at most\n";
  for (const auto& hunt : hunts) {
    const auto needed = seeds_needed(hunt);
    std::printf("%-23s %-11s %12llu  %7u\n", hunt.name, hunt.promise,
                static_cast<unsigned long long>(needed), hunt.seeds_max);
    std::fflush(stdout);
    INFO(hunt.name);
    CHECK(needed > 0);
  }
}

SCENARIO("a failing seed of a cluster shrinks and still fails the same way",
         "[sim][planted][cluster][shrink]") {
  const PlantedScope scope(Planted::furthest_wrong);
  ClusterOptions options;
  ClusterResult failed;
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    failed = simulate_cluster(options);
    if (!failed.passed()) break;
  }
  REQUIRE_FALSE(failed.passed());
  const auto small = shrink_cluster(failed);
  CHECK(small.kept.size() < failed.faults.size());
  REQUIRE_FALSE(small.result.passed());
  CHECK(small.result.violations.front().invariant == failed.violations.front().invariant);
}

}  // namespace esper::sim::cluster
