// Which turns a role decides, which it answers again, which it leaves alone.
#include "actors/turn_answer.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace esper {

namespace {

struct Turn {
  Window window;
};
struct Part {
  Window window;
};

/// Counts what is decided.
struct Answerer {
  TurnAnswer<Turn, Part> answer;
  std::vector<std::uint64_t> decided;

  auto decide() {
    return [this](const Turn& turn) {
      decided.push_back(turn.window.value);
      return Part{turn.window};
    };
  }
  std::uint64_t asked(std::uint64_t window) {
    const Part* part = answer.to(Turn{{window}}, decide());
    return part == nullptr ? 0 : part->window.value;
  }
  std::uint64_t past_known(std::uint64_t committed = 0) {
    const Part* part = answer.past_known(Window{committed}, decide());
    return part == nullptr ? 0 : part->window.value;
  }
};

}  // namespace

SCENARIO("a turn is decided once, answered as often as it is asked", "[turn_answer]") {
  Answerer role;
  CHECK(role.past_known() == 0);
  CHECK(role.asked(1) == 1);
  CHECK(role.asked(1) == 1);
  CHECK(role.asked(2) == 2);
  CHECK(role.asked(1) == 0);  // closed long ago
  CHECK(role.asked(2) == 2);
  CHECK(role.decided == std::vector<std::uint64_t>{1, 2});
}

SCENARIO("nothing is decided before the past is known, then the newest that waited is",
         "[turn_answer]") {
  Answerer role;
  CHECK(role.asked(3) == 0);
  CHECK(role.asked(4) == 0);
  CHECK(role.decided.empty());
  CHECK(role.past_known() == 4);
  CHECK(role.past_known() == 0);
  CHECK(role.decided == std::vector<std::uint64_t>{4});
}

SCENARIO("a turn that closed without the role is part of its past, and not decided again",
         "[turn_answer]") {
  Answerer role;
  CHECK(role.asked(4) == 0);
  CHECK(role.past_known(4) == 0);
  CHECK(role.asked(4) == 0);  // on its way since before the past was told
  CHECK(role.asked(5) == 5);
  CHECK(role.decided == std::vector<std::uint64_t>{5});
}

}  // namespace esper
