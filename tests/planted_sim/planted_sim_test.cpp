// Proof that simulations can fail: each spoilt rule is found within a stated number of seeds. This
// executable is built with the switch that spoils them.
#include <catch2/catch.hpp>

#include <iostream>

#include "actors/decisions/planted.hpp"
#include "sim/shrink.hpp"
#include "sim/simulation.hpp"
#include "tests/planted_scope.hpp"

namespace esper::sim {
namespace {

struct Hunt {
  Planted bug;
  const char* name;
  const char* invariant;    ///< that must break
  std::uint32_t seeds_max;  ///< within so many
};

constexpr Hunt hunts[]{
    {Planted::forgotten_void, "forgotten_void", "LEDGER-2", 3},
    {Planted::double_settle, "double_settle", "LEDGER-2", 3},
    {Planted::ledger_leak, "ledger_leak", "LEDGER-1", 3},
    {Planted::zone_early, "zone_early", "ZONE-1", 10},
    {Planted::stale_epoch, "stale_epoch", "FENCE-1", 40},
    {Planted::throttle_sign, "throttle_sign", "THROTTLE-1", 3},
    {Planted::throttle_rate, "throttle_rate", "THROTTLE-1", 3},
    {Planted::escape_lost, "escape_lost", "ESCAPE-1", 40},
    {Planted::proposal_twice, "proposal_twice", "ANSWER-1", 40},
    {Planted::ramp_resumed, "ramp_resumed", "ESCAPE-1", 10},
    {Planted::lost_dead_letter, "lost_dead_letter", "LANES", 10},
    {Planted::endless_lease, "endless_lease", "LEDGER-2", 40},
    {Planted::surgery_again, "surgery_again", "LEDGER-2", 40},
    {Planted::command_again, "command_again", "LEDGER-2", 20},
    {Planted::unrecorded_release, "unrecorded_release", "AUDIT-1", 10},
};

/// The first violation of that invariant, from seed 1 on; the seed in which it was.
std::uint64_t seeds_needed(const Hunt& hunt) {
  const PlantedScope scope(hunt.bug);
  for (std::uint64_t seed = 1; seed <= hunt.seeds_max; ++seed) {
    SimulationOptions options;
    options.seed = seed;
    options.must_happen = false;
    for (const auto& violation : simulate(options).violations)
      if (violation.invariant == hunt.invariant) return seed;
  }
  return 0;
}

}  // namespace

SCENARIO("every planted bug is found within its number of seeds", "[sim][planted]") {
  std::cout << "bug                  breaks      seeds needed  at most\n";
  for (const auto& hunt : hunts) {
    const auto needed = seeds_needed(hunt);
    std::printf("%-20s %-11s %12llu  %7u\n", hunt.name, hunt.invariant,
                static_cast<unsigned long long>(needed), hunt.seeds_max);
    std::fflush(stdout);
    INFO(hunt.name);
    CHECK(needed > 0);
  }
}

SCENARIO("a failing seed shrinks and still fails the same way", "[sim][planted][shrink]") {
  const PlantedScope scope(Planted::endless_lease);
  SimulationOptions options;
  options.must_happen = false;
  SimulationResult failed;
  for (options.seed = 1; options.seed <= 40; ++options.seed) {
    failed = simulate(options);
    if (!failed.passed()) break;
  }
  REQUIRE_FALSE(failed.passed());
  const auto from = rehearsal_of(options, failed);
  const auto small = shrink(from, failed, 40);
  CHECK(small.rehearsal.faults.size() <= from.faults.size());
  CHECK(small.rehearsal.windows <= from.windows);
  CHECK(small.rehearsal.faults.size() + small.rehearsal.windows <
        from.faults.size() + from.windows);
  const auto again = rehearse(small.rehearsal);
  REQUIRE_FALSE(again.violations.empty());
  CHECK(again.violations.front().invariant == failed.violations.front().invariant);
}

}  // namespace esper::sim
