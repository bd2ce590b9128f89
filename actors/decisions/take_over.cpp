#include "actors/decisions/take_over.hpp"

#include <iterator>

namespace esper {

namespace {

template <typename T>
void put_before(std::vector<T>& later, std::vector<T>& earlier) {
  if (earlier.empty()) return;
  earlier.insert(earlier.end(), std::make_move_iterator(later.begin()),
                 std::make_move_iterator(later.end()));
  later.swap(earlier);
}

}  // namespace

void take_over(WindowReport& newest, WindowReport& older) {
  for (auto& region : newest.regions)
    for (const auto& lost : older.regions)
      if (lost.region == region.region) {
        region.steps_missing += lost.steps_covered + lost.steps_missing;
        region.non_finite += lost.non_finite;
      }
  put_before(newest.outcomes, older.outcomes);
  put_before(newest.applied, older.applied);
  put_before(newest.surgeries, older.surgeries);
  if (!newest.checkpoint) newest.checkpoint = older.checkpoint;
  newest.operations.weaning += older.operations.weaning;
  newest.operations.training += older.operations.training;
  newest.operations.seeds += older.operations.seeds;
  newest.operations.shadow += older.operations.shadow;
  newest.operations.gate += older.operations.gate;
  newest.verdict_ignored = newest.verdict_ignored || older.verdict_ignored;
  newest.stalled = newest.stalled || older.stalled;
}

}  // namespace esper
