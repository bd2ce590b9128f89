// One row says who leads: a deposed Prime appends nothing, and a standby waits for silence.
#include "actors/decisions/standby.hpp"

#include <catch2/catch.hpp>

namespace esper {

SCENARIO("an append is the leader's, once, and builds on what stands there", "[standby]") {
  const LeaderRow row{{4}, "a", 17};
  CHECK(judge_append(row, {4}, 30, 30, 2, false) == AppendVerdict::append);
  CHECK(judge_append(row, {3}, 30, 30, 2, false) == AppendVerdict::deposed);
  CHECK(judge_append(row, {3}, 32, 30, 2, true) == AppendVerdict::deposed);
  CHECK(judge_append(row, {4}, 32, 30, 2, true) == AppendVerdict::known);
  CHECK(judge_append(row, {4}, 32, 30, 2, false) == AppendVerdict::gap);
  CHECK(judge_append(row, {4}, 29, 30, 2, false) == AppendVerdict::gap);
}

SCENARIO("of several takers one gets the row", "[standby]") {
  LeaderRow row{{4}, "a", 17};
  CHECK(take_row(row, {4}, "b"));
  CHECK(row.epoch == Epoch{5});
  CHECK(row.holder == "b");
  CHECK_FALSE(take_row(row, {4}, "c"));
  CHECK(row.holder == "b");
}

SCENARIO("a standby takes over after silence alone, counted from when it first saw the row so",
         "[standby]") {
  StandbyWatch watch(2'000);
  CHECK_FALSE(watch.may_take_over());
  watch.saw({{1}, "a", 5}, 10'000);
  CHECK_FALSE(watch.may_take_over());
  watch.saw({{1}, "a", 6}, 11'900);
  watch.saw({{1}, "a", 6}, 13'900);
  CHECK_FALSE(watch.may_take_over());
  watch.saw({{1}, "a", 6}, 13'901);
  CHECK(watch.may_take_over());
  CHECK(watch.epoch() == Epoch{1});
  WHEN("another was first") {
    watch.saw({{2}, "b", 0}, 14'000);
    CHECK_FALSE(watch.may_take_over());
  }
  WHEN("its own readings stopped for a while") {
    // The row went on meanwhile.
    watch.saw({{1}, "a", 7}, 30'000);
    CHECK_FALSE(watch.may_take_over());
  }
}

}  // namespace esper
