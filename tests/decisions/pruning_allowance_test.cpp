// What growth spends is not there to prune with.
#include "actors/decisions/strategy.hpp"
#include "tests/decisions/economy_turns.hpp"

#include <catch2/catch.hpp>

namespace esper {
namespace {

SCENARIO("with twice the spend the pruning allowance falls, with none it is full",
         "[strategy][throttle]") {
  const auto allowance_after = [](std::int64_t spend) {
    Strategy strategy{economy_settings()};
    StrategyPart part;
    std::uint64_t next = 0;
    for (Window window{1}; window <= Window{12}; window = window + 1) {
      TurnReports turn = economy_turn(strategy.settings, window);
      if (spend > 0 && window > Window{1} && window.value % 2 == 0) {
        const std::uint64_t id = ++next;
        turn.reports[0].movements = {
            {MovementKind::reserve, {0}, id, {{0}, first_epoch, id}, {spend}},
            {MovementKind::settle, {0}, id, {{0}, first_epoch, id}, {spend}}};
      }
      turn.reports[0].asked = {500};
      part = decide(strategy, turn, first_epoch);
      CHECK(part.refused.empty());
    }
    CHECK(part.pruning.value().spend == Energy{spend});
    return part.pruning.value().allowance;
  };
  CHECK(allowance_after(0) == Energy{1'200});
  CHECK(allowance_after(400) < Energy{1'000});
  CHECK(allowance_after(800) < allowance_after(400));
  CHECK(allowance_after(800) > Energy{0});
}

}  // namespace
}  // namespace esper
