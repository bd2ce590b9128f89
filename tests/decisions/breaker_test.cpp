#include "actors/decisions/breaker.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

namespace esper {
namespace {

constexpr BreakerPolicy policy{.failures_max = 3, .backoff_first = 2, .backoff_max = 8};

SCENARIO("a breaker opens, probes and closes", "[breaker]") {
  Breaker breaker{"allocator", policy};
  CHECK(breaker.name() == "allocator");
  GIVEN("fewer failures in a row than it takes") {
    breaker.failed(1, "late");
    breaker.failed(1, "late");
    CHECK(breaker.cause() == "late");
    breaker.succeeded();
    CHECK(breaker.cause().empty());
    breaker.failed(2, "late");
    breaker.failed(2, "late");
    CHECK(breaker.pass(2));
    CHECK(breaker.state() == BreakerState::closed);
  }
  GIVEN("an open one") {
    for (int i = 0; i < 3; ++i) breaker.failed(10, "not finite");
    CHECK(breaker.state() == BreakerState::open);
    CHECK(breaker.cause() == "not finite");
    CHECK(breaker.open_until() == 12);
    CHECK_FALSE(breaker.pass(11));
    THEN("late news of before changes nothing") {
      breaker.succeeded();
      CHECK(breaker.state() == BreakerState::open);
      breaker.failed(11, "also late");
      CHECK(breaker.open_until() == 12);
    }
    WHEN("its backoff is over") {
      REQUIRE(breaker.pass(12));
      CHECK(breaker.state() == BreakerState::half_open);
      CHECK_FALSE(breaker.pass(12));  // one probe only
      THEN("a good probe closes it") {
        breaker.succeeded();
        CHECK(breaker.state() == BreakerState::closed);
        CHECK(breaker.pass(13));
        CHECK(breaker.openings() == 1);
      }
      THEN("failed probes double the backoff up to its bound") {
        std::uint64_t now = 12;
        for (const std::uint64_t backoff : {4U, 8U, 8U}) {
          breaker.failed(now, "again");
          CHECK_FALSE(breaker.pass(now + backoff - 1));
          now += backoff;
          REQUIRE(breaker.pass(now));
        }
        breaker.succeeded();
        for (int i = 0; i < 3; ++i) breaker.failed(100, "later");
        CHECK(breaker.open_until() == 102);  // the backoff began anew
        CHECK(breaker.openings() == 5);
      }
    }
  }
}

SCENARIO("an open breaker lets one probe through per backoff", "[breaker]") {
  CHECK(rc::check("whatever happens", [] {
    Breaker breaker{"peer", policy};
    std::uint64_t now = 0;
    int probes = 0;
    for (const int event : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
      const BreakerState before = breaker.state();
      switch (event) {
        case 0:
          ++now;
          break;
        case 1:
          breaker.succeeded();
          break;
        case 2:
          breaker.failed(now, "cause");
          break;
        default:
          if (breaker.pass(now)) {
            RC_ASSERT(before == BreakerState::closed || now >= breaker.open_until());
            probes = before == BreakerState::open ? probes + 1 : probes;
          }
      }
      if (before == BreakerState::open && event != 3)
        RC_ASSERT(breaker.state() == BreakerState::open);
      if (breaker.state() == BreakerState::half_open && before == BreakerState::half_open)
        RC_ASSERT(event == 0 || event == 3);
      RC_ASSERT(static_cast<std::uint64_t>(probes) <= breaker.openings());
    }
  }));
}

}  // namespace
}  // namespace esper
