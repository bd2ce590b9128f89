#include "actors/decisions/restart.hpp"

#include "tests/test_seed.hpp"

#include <catch2/catch.hpp>

namespace esper {
namespace {

constexpr RestartPolicy policy{
    .restarts_max = 4, .period_ms = 1'000, .backoff_ms_first = 20, .backoff_ms_max = 50};

RestartHistory some_history() { return {policy, RandomStream{test_seed(), "restart"}}; }

SCENARIO("a child is restarted at once, then later and later, then no more", "[restart]") {
  RestartHistory history = some_history();
  CHECK(history.after_failure(100) == 0U);
  const std::pair<std::uint64_t, std::uint64_t> bounds[]{{10, 20}, {20, 40}, {25, 50}};
  for (const auto& [least, most] : bounds) {
    const auto delay = history.after_failure(110);
    REQUIRE(delay.has_value());
    CHECK(*delay >= least);
    CHECK(*delay <= most);
  }
  CHECK_FALSE(history.after_failure(120).has_value());
  CHECK(history.failures() == 4);
}

SCENARIO("old failures are forgotten", "[restart]") {
  RestartHistory history = some_history();
  for (std::uint64_t at = 0; at < 20'000; at += 1'000) CHECK(history.after_failure(at) == 0U);
  CHECK(history.failures() == 1);
  GIVEN("a child past its intensity") {
    for (int i = 0; i < 10; ++i) (void)history.after_failure(19'500);
    REQUIRE_FALSE(history.after_failure(19'600).has_value());
    THEN("a period later it may start again") { CHECK(history.after_failure(20'500) == 0U); }
  }
}

SCENARIO("restart delays come from the seed", "[restart]") {
  RestartHistory one = some_history();
  RestartHistory same = some_history();
  for (std::uint64_t at = 0; at < 5; ++at) CHECK(one.after_failure(at) == same.after_failure(at));
}

SCENARIO("restart policies of nothing", "[restart]") {
  RestartHistory never{{}, RandomStream{1, "restart"}};
  CHECK_FALSE(never.after_failure(0).has_value());
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  RestartHistory vast{
      {.restarts_max = 200, .period_ms = huge, .backoff_ms_first = 1, .backoff_ms_max = huge},
      RandomStream{1, "restart"}};
  std::optional<std::uint64_t> delay;
  for (int i = 0; i < 200; ++i) delay = vast.after_failure(1);
  CHECK(delay >= huge / 2);  // doubled without wrapping round
}

}  // namespace
}  // namespace esper
