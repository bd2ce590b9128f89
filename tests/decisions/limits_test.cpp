#include "actors/decisions/limits.hpp"

#include <catch2/catch.hpp>

namespace esper {
namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

SCENARIO("each limit refuses by its own name and figures", "[limits]") {
  struct Case {
    CommandRefusal refusal;
    std::uint64_t Footprint::*part;
    const char* word;
  };
  LimitConfig limits;
  limits.parameters_max = limits.operations_per_sample_max = limits.memory_bytes_max = 100;
  limits.seeds_max = 100;
  for (const Case& one :
       {Case{CommandRefusal::limit_parameters, &Footprint::parameters, "parameters"},
        Case{CommandRefusal::limit_operations, &Footprint::operations_per_sample, "operations"},
        Case{CommandRefusal::limit_memory, &Footprint::memory_bytes, "memory"},
        Case{CommandRefusal::limit_seeds, &Footprint::seeds, "seeds"}}) {
    Footprint present;
    Footprint added;
    present.*one.part = 60;
    added.*one.part = 40;
    CHECK(within_limits(limits, present, added, false).refusal == CommandRefusal::none);
    added.*one.part = 41;
    const LimitVerdict refused = within_limits(limits, present, added, false);
    CHECK(refused.refusal == one.refusal);
    CHECK(refused.limit == 100);
    CHECK(refused.wanted == 101);
    CHECK_THAT(told(refused),
               Catch::Contains(one.word) && Catch::Contains("101") && Catch::Contains("100"));
    added.*one.part = most;
    CHECK(within_limits(limits, present, added, false).refusal == one.refusal);
  }
}

SCENARIO("paused for overhead, no seed joins, and a limit of 0 is no bound", "[limits]") {
  LimitConfig none;
  none.seeds_max = 0;
  CHECK(within_limits(none, {most, most, most, most}, {1, 1, 1, 1}, false).refusal ==
        CommandRefusal::none);
  const LimitVerdict paused = within_limits(none, {}, {}, true);
  CHECK(paused.refusal == CommandRefusal::limit_overhead);
  CHECK_THAT(told(paused), Catch::Contains("overhead"));
  CHECK(told(LimitVerdict{}).empty());
}

}  // namespace
}  // namespace esper
