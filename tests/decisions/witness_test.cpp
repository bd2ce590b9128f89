// The votes of a node that does not train.
#include "actors/decisions/witness.hpp"

#include <catch2/catch.hpp>

#include "messages/json.hpp"

namespace esper {
namespace {

const std::vector<Voter> two_and_a_witness{{"a", true}, {"b", true}, {"w", false}};

WitnessQuestion vote(std::uint64_t epoch, std::uint64_t run = 1) { return {run, epoch, {}}; }
WitnessQuestion agree(std::uint64_t epoch, std::vector<std::string> members) {
  return {1, epoch, std::move(members)};
}

}  // namespace

SCENARIO("a witness votes once for each epoch, and agrees to one group of it",
         "[witness][quorum]") {
  Witness witness(two_and_a_witness, "w");
  const auto first = witness.answer(vote(2));
  CHECK(first.given);
  CHECK(first.node == "w");
  CHECK(first.newest == 0);
  CHECK_FALSE(witness.answer(vote(2)).given);  // the other side asks for the same
  CHECK_FALSE(witness.answer(vote(1)).given);
  CHECK(witness.answer(vote(1)).promised == 2);
  CHECK(witness.answer(agree(2, {"a"})).given);

  THEN("whoever asks for a later one learns of the group, and where its state is") {
    const auto later = witness.answer(vote(3));
    REQUIRE(later.given);
    CHECK(later.newest == 2);
    CHECK(later.members == std::vector<std::string>{"a"});
    Group first_of_all;
    first_of_all.epoch = 1;
    first_of_all.members = {"a", "b"};
    Standing b{"b", 3, {1, 40, 40}, false, true, first_of_all, {}};
    const auto plan =
        plan_group(two_and_a_witness, {b, standing_of(later, 3)}, 3, QuorumRule::majority);
    CHECK(plan.refused == "the newest state may be with a, which does not answer");
  }
  THEN("what was promised to a later epoch is not agreed to in an older one") {
    CHECK(witness.answer(vote(4)).given);
    CHECK_FALSE(witness.answer(agree(3, {"b"})).given);
    CHECK(witness.memory().members == std::vector<std::string>{"a"});
  }
}

SCENARIO("a witness that starts again remembers, through its file's text", "[witness][quorum]") {
  Witness before(two_and_a_witness, "w");
  REQUIRE(before.answer(vote(2)).given);
  REQUIRE(before.answer(agree(2, {"a"})).given);
  REQUIRE(before.answer(vote(5)).given);
  Witness after(two_and_a_witness, "w", parsed<WitnessMemory>(canonical(before.memory())));
  CHECK_FALSE(after.answer(vote(5)).given);
  CHECK_FALSE(after.answer(agree(5, {"b"})).given);  // another life promised it
  const auto later = after.answer(vote(6));
  CHECK(later.given);
  CHECK(later.newest == 2);

  WHEN("the run is launched anew") {
    CHECK(after.answer(vote(1, 2)).given);
    CHECK(after.memory().newest == 0);
    THEN("the earlier launch gets no vote any more") {
      CHECK_FALSE(after.answer(vote(9, 1)).given);
      CHECK(after.memory().promised == 1);
    }
  }
}

}  // namespace esper
