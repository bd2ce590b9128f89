#include "actors/decisions/overhead.hpp"

#include <catch2/catch.hpp>

namespace esper {
namespace {

OperationCount operations(std::uint64_t training, std::uint64_t shadow, std::uint64_t gate) {
  OperationCount count;
  count.training = training;
  count.shadow = shadow;
  count.gate = gate;
  return count;
}

SCENARIO("two windows over the limit pause isolated seeds, one below lets them go on",
         "[overhead]") {
  Overhead overhead;
  CHECK_FALSE(observe(overhead, operations(100, 100, 20), 1.0));
  CHECK_FALSE(observe(overhead, operations(100, 10, 20), 1.0));
  CHECK_FALSE(observe(overhead, operations(100, 50, 51), 1.0));
  CHECK(observe(overhead, operations(100, 101, 0), 1.0));
  CHECK(observe(overhead, operations(100, 0, 101), 1.0));
  CHECK_FALSE(observe(overhead, operations(100, 50, 50), 1.0));
}

SCENARIO("the control side's own time counts where it is given", "[overhead]") {
  Overhead overhead;
  observe(overhead, operations(100, 90, 0), 1.0, 0.2);
  CHECK(observe(overhead, operations(100, 90, 0), 1.0, 0.2));
  Overhead without;
  observe(without, operations(100, 90, 0), 1.0);
  CHECK_FALSE(observe(without, operations(100, 90, 0), 1.0));
}

SCENARIO("no bound, and no training at all", "[overhead]") {
  Overhead overhead;
  for (int window = 0; window < 4; ++window)
    CHECK_FALSE(observe(overhead, operations(1, 1'000, 0), 0));
  CHECK(overhead_ratio(operations(0, 0, 0)) == 0);
  CHECK(overhead_ratio(operations(0, 1, 0)) > 1e300);
}

}  // namespace
}  // namespace esper
