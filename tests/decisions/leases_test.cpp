// A lease counts once, whatever replies come, and a region starts elsewhere only when its old
// Narset can change nothing any more.
#include "actors/decisions/leases.hpp"

#include <catch2/catch.hpp>

#include <set>

#include "actors/decisions/region_move.hpp"
#include "tests/property.hpp"

namespace esper {

SCENARIO("LEDGER-2: a lease counts once, whichever replies come late, twice or from a deposed bank",
         "[LEDGER-2][leases]") {
  CHECK(holds("leases", 300, [] {
    HeldLease lease{{3}, {}, {}, {}, {}};
    std::int64_t taken = 0;
    std::set<std::uint64_t> cycles;
    for (int i = 0; i < 60; ++i) {
      const LeaseReply reply{{*rc::gen::inRange(2U, 5U)},
                             {*rc::gen::inRange(1U, 4U)},
                             {*rc::gen::inRange<std::uint64_t>(1, 8)},
                             {100},
                             {5}};
      const auto before = lease;
      if (refresh_lease(lease, reply)) {
        RC_ASSERT(reply.epoch == Epoch{3});
        RC_ASSERT(before.prime <= reply.prime);
        RC_ASSERT(cycles.insert(reply.cycle.value).second);
        taken += reply.granted.thousandths;
      } else {
        RC_ASSERT(lease.cycle == before.cycle);
        RC_ASSERT(lease.free == before.free);
      }
    }
    RC_ASSERT(taken == 100 * static_cast<std::int64_t>(cycles.size()));
  }));
}

SCENARIO("FENCE-1: a command below the fence, or after its lease, is not admitted",
         "[FENCE-1][leases]") {
  CHECK(lease_admits({2}, {2}, {10}, {10}));
  CHECK(lease_admits({2}, {3}, {10}, {1}));
  CHECK_FALSE(lease_admits({2}, {1}, {10}, {1}));
  CHECK_FALSE(lease_admits({2}, {2}, {10}, {11}));
}

SCENARIO("FENCE-1: a region moves when its fence is acknowledged, or the old lease has run out",
         "[FENCE-1][region_move]") {
  CHECK(may_start({{3}, {2}, {10}, {10}}) == MoveVerdict::fence);
  CHECK(may_start({{3}, {3}, {10}, {4}}) == MoveVerdict::start);
  CHECK(may_start({{3}, {2}, {10}, {11}}) == MoveVerdict::start_without_lease);
  CHECK(may_start({{3}, {2}, {0}, {1}}) == MoveVerdict::start_without_lease);
}

}  // namespace esper
