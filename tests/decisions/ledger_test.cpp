#include "actors/decisions/ledger.hpp"

#include "actors/decisions/random.hpp"
#include "tests/decisions/some_ledger.hpp"
#include "tests/test_seed.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <set>
#include <string>

namespace esper {
namespace {

Ledger funded() {
  Ledger ledger{2};
  REQUIRE(ledger.mint(mint_of_parts(100, 10, 10, 5)));
  REQUIRE(ledger.grant(region, {60}, {7}));
  return ledger;
}

SCENARIO("a reservation is paid once", "[ledger]") {
  Ledger ledger = funded();
  REQUIRE(ledger.reserve(region, 1, command(1), {40}, {1}));
  CHECK(ledger.lease(region).free == Energy{20});
  CHECK(ledger.reserved(region, 1) == Energy{40});
  WHEN("it is settled for less") {
    REQUIRE(ledger.settle(region, 1, {30}, {2}));
    CHECK(ledger.lease(region).free == Energy{30});
    CHECK(ledger.balance().spent == Energy{30});
    THEN("it resolves no second time") {
      CHECK(ledger.settle(region, 1, {0}, {2}).refusal() == LedgerRefusal::not_open);
      CHECK(ledger.release(region, 1).refusal() == LedgerRefusal::not_open);
      CHECK(ledger.top_up(region, 1, command(9), {1}, {2}).refusal() == LedgerRefusal::not_open);
      CHECK(ledger.expire({100}, 1).empty());
    }
  }
  WHEN("it is voided") {
    REQUIRE(ledger.release(region, 1));
    CHECK(ledger.lease(region).free == Energy{60});
    CHECK(ledger.settle(region, 1, {1}, {2}).refusal() == LedgerRefusal::not_open);
  }
  WHEN("it is enlarged from the safety reserve") {
    REQUIRE(ledger.top_up(region, 1, command(2), {9}, {2}));
    CHECK(ledger.safety() == Energy{1});
    THEN("that command is charged once") {
      for (const std::uint64_t again : {1U, 2U})
        CHECK(ledger.top_up(region, 1, command(again), {1}, {2}).refusal() ==
              LedgerRefusal::already_charged);
      CHECK(ledger.safety() == Energy{1});
    }
    REQUIRE(ledger.settle(region, 1, {49}, {2}));
    CHECK(ledger.balance().spent == Energy{49});
  }
  CHECK(ledger.conserves_energy());
}

SCENARIO("refusals change nothing", "[ledger]") {
  Ledger ledger = funded();
  REQUIRE(ledger.reserve(region, 3, command(5, 2), {40}, {1}));
  const std::string before = seen(ledger);
  using Refusal = LedgerRefusal;
  const auto reserve = [&](RegionId who, std::uint64_t id, CommandId by, std::int64_t energy) {
    return ledger.reserve(who, id, by, {energy}, {1}).refusal();
  };
  CHECK(reserve({2}, 4, command(6, 2, {2}), 1) == Refusal::unknown_region);
  CHECK(reserve(region, 4, command(6, 2, other), 1) == Refusal::foreign_command);
  CHECK(reserve(region, 4, command(6, 2), -1) == Refusal::amount_out_of_range);
  CHECK(reserve(region, 4, command(6, 2), 21) == Refusal::insufficient_energy);
  CHECK(reserve(region, 4, command(5, 2), 1) == Refusal::already_charged);
  CHECK(reserve(region, 4, command(4, 2), 1) == Refusal::already_charged);
  CHECK(reserve(region, 4, command(9, 1), 1) == Refusal::already_charged);
  CHECK(reserve(region, 3, command(6, 2), 1) == Refusal::reservation_reused);
  CHECK(reserve(region, 2, command(6, 2), 1) == Refusal::reservation_reused);
  CHECK(ledger.settle(region, 3, {41}, {1}).refusal() == Refusal::exceeds_reservation);
  CHECK(ledger.settle(region, 3, {-1}, {1}).refusal() == Refusal::amount_out_of_range);
  CHECK(ledger.settle(other, 3, {1}, {1}).refusal() == Refusal::not_open);
  CHECK(ledger.top_up(region, 3, command(6, 2), {11}, {1}).refusal() ==
        Refusal::insufficient_energy);
  CHECK(ledger.top_up(region, 3, command(6, 2), {-1}, {1}).refusal() ==
        Refusal::amount_out_of_range);
  CHECK(ledger.grant(other, {41}, {7}).refusal() == Refusal::insufficient_energy);
  CHECK(ledger.grant(other, {-1}, {7}).refusal() == Refusal::amount_out_of_range);
  CHECK(ledger.grant({9}, {1}, {7}).refusal() == Refusal::unknown_region);
  CHECK(ledger.grant_opportunity(other, {41}).refusal() == Refusal::insufficient_energy);
  CHECK(ledger.grant_emergency(other, {11}).refusal() == Refusal::insufficient_energy);
  CHECK(ledger.mint(mint_of_parts(1, -1, 0, 0, {2})).refusal() == Refusal::amount_out_of_range);
  for (const std::uint64_t minted : {0U, 1U})
    CHECK(ledger.mint(mint_of_parts(1, 1, 1, 1, {minted})).refusal() == Refusal::already_minted);
  CHECK(seen(ledger) == before);
}

SCENARIO("what is not reserved lapses", "[ledger]") {
  Ledger ledger = funded();
  REQUIRE(ledger.reserve(region, 1, command(1), {40}, {1}));
  WHEN("the cycle ends") {
    ledger.close_cycle({8}, {30});
    CHECK(ledger.treasury() == Energy{0});
    CHECK(ledger.compaction() == Energy{0});
    CHECK(ledger.emergency() == Energy{8});
    CHECK(ledger.safety() == Energy{10});
    CHECK(ledger.balance().lapsed == Energy{40 + 5 + 2});
    CHECK(ledger.balance().reserved == Energy{40});
  }
  WHEN("the lease is renewed") {
    REQUIRE(ledger.grant(region, {5}, {13}));
    CHECK(ledger.lease(region).free == Energy{5});
    CHECK(ledger.lease(region).until == Window{13});
    CHECK(ledger.balance().lapsed == Energy{20});
  }
  WHEN("the lease ends") {
    ledger.lapse_leases({7});
    CHECK(ledger.lease(region).free == Energy{20});
    ledger.lapse_leases({8});
    CHECK(ledger.lease(region).free == Energy{0});
    CHECK(ledger.balance().lapsed == Energy{20});
    CHECK(ledger.balance().reserved == Energy{40});
  }
  CHECK(ledger.conserves_energy());
}

SCENARIO("a reservation expires a time after its seed's last outcome", "[ledger]") {
  Ledger ledger = funded();
  for (std::uint64_t part = 1; part <= 3; ++part)
    REQUIRE(ledger.reserve(region, part, command(part), {10}, {1}));
  REQUIRE(ledger.reserve(region, 4, command(4), {10}, {2}));
  CHECK(ledger.expire({20}, 20).empty());
  REQUIRE(ledger.settle(region, 1, {10}, {15}));
  CHECK(ledger.expire({21}, 20).empty());
  const auto stranger = ledger.expire({22}, 20);  // no outcome ever touched it
  REQUIRE(stranger.size() == 1);
  CHECK(stranger.front() == std::pair{region, std::uint64_t{4}});
  CHECK(ledger.expire({34}, 20).empty());
  CHECK(ledger.expire({35}, 20).size() == 2);
  CHECK(ledger.treasury() == Energy{40 + 30});
  CHECK(ledger.open_reservations() == 0);
  CHECK(ledger.conserves_energy());
}

SCENARIO("what an absent region may have resolved does not expire until it says so", "[ledger]") {
  Ledger ledger = funded();
  REQUIRE(ledger.reserve(region, 1, command(1), {10}, {1}));
  REQUIRE(ledger.reserve(region, 2, command(2), {10}, {1}));
  CHECK(ledger.expire({60}, 20, {region}).empty());
  REQUIRE(ledger.settle(region, 1, {10}, {60}));  // back, and it tells of long ago
  CHECK(ledger.expire({80}, 20).size() == 1);     // the other: nothing came of it
  CHECK(ledger.balance().spent == Energy{10});
  CHECK(ledger.conserves_energy());
}

SCENARIO("an outcome that pays nothing gives a reservation its full time again", "[ledger]") {
  Ledger ledger = funded();
  REQUIRE(ledger.reserve(region, 1, command(1), {10}, {1}));
  REQUIRE(ledger.reserve(region, 2, command(2), {10}, {1}));
  const LedgerBalance before = ledger.balance();
  REQUIRE(ledger.top_up(region, 1, command(1), {0}, {15}));
  REQUIRE(ledger.top_up(region, 1, command(1), {0}, {9}));  // told late: takes no time back
  CHECK(ledger.reserved(region, 1) == Energy{10});
  CHECK(ledger.balance().available == before.available);
  CHECK(ledger.expire({34}, 20).size() == 1);  // the other
  CHECK(ledger.expire({35}, 20).size() == 1);
}

/// The second half of LEDGER-2 as a test sees it from outside: sets that only grow.
struct Witness {
  std::set<std::pair<RegionId, std::uint64_t>> resolved;
  std::set<CommandId> charged, topped_up, drawn;
  std::set<std::uint64_t> planned, plans_resolved;
  std::set<Cycle> minted;
  int accepted{};
};

/// One random call, legal or not; fails where a rule is broken.
void random_operation(Ledger& ledger, RandomStream& random, Window& now, Witness& witness) {
  const RegionId who{static_cast<std::uint32_t>(random.below(4))};  // the last is unknown
  const std::uint64_t id = random.below(64);
  const Energy energy{static_cast<std::int64_t>(random.below(60)) - 3};
  const CommandId by{random.below(20) == 0 ? RegionId{0} : who,
                     {static_cast<std::uint32_t>(now.value / 400)},
                     random.below(64)};
  const Cycle cycle{now.value / 4 + random.below(3)};
  const std::string before = seen(ledger);
  Ledger::Answer answer{Done{}};
  bool resolves = false;
  switch (random.below(19)) {
    case 0:
      answer = ledger.mint(mint_of_parts(energy.thousandths * 3, 10, 10, 5, cycle));
      if (answer) REQUIRE(witness.minted.insert(cycle).second);
      break;
    case 1:
      answer = ledger.grant(who, energy, now + random.below(8));
      break;
    case 2:
      answer = ledger.grant_opportunity(who, energy);
      break;
    case 3:
      answer = ledger.grant_emergency(who, energy);
      break;
    case 4:
      answer = ledger.top_up(who, id, by, energy, now);
      if (answer && energy > Energy{}) REQUIRE(witness.topped_up.insert(by).second);
      break;
    case 5:
      answer = ledger.settle(who, id, energy, now);
      resolves = true;
      break;
    case 6:
      answer = ledger.release(who, id);
      resolves = true;
      break;
    case 7:
      now = now + 1;
      ledger.lapse_leases(now);
      break;
    case 8:
      if (random.below(8) == 0) ledger.close_cycle({30}, {30});
      break;
    case 9:
      for (const auto& key : ledger.expire(now, 20)) REQUIRE(witness.resolved.insert(key).second);
      break;
    case 10:
      answer = ledger.grant_scaffold(who, energy, now + random.below(8), now);
      break;
    case 11:
    case 12:
      answer = ledger.draw(who, by, energy, now);
      if (answer) REQUIRE(witness.drawn.insert(by).second);
      break;
    case 13:
      answer = ledger.give_back(who);
      break;
    case 14:
      for (const RegionId back : ledger.reclaim(now, 6)) REQUIRE_FALSE(ledger.escrow(back));
      break;
    case 15:
      answer = ledger.commit_compaction(id, energy);
      if (answer) REQUIRE(witness.planned.insert(id).second);
      break;
    case 16:
      answer = random.below(2) == 0 ? ledger.settle_compaction(id) : ledger.void_compaction(id);
      if (answer) REQUIRE(witness.plans_resolved.insert(id).second);
      break;
    default:
      answer = ledger.reserve(who, id, by, energy, now);
      if (answer) {
        REQUIRE(witness.charged.insert(by).second);
        REQUIRE_FALSE(witness.resolved.contains({who, id}));
      }
  }
  if (!answer)
    REQUIRE(seen(ledger) == before);
  else if (resolves)
    REQUIRE(witness.resolved.insert({who, id}).second);
  witness.accepted += answer.has_value();
  REQUIRE(ledger.conserves_energy());
}

SCENARIO("LEDGER-1 and LEDGER-2 hold over 16,000 random operations",
         "[ledger][LEDGER-1][LEDGER-2]") {
  RandomStream random{test_seed(), "ledger"};
  Witness witness;
  // Numbers and commands only rise, so one ledger runs dry of them: forty ledgers.
  for (int run = 0; run < 40; ++run) {
    Ledger ledger{3};
    Window now{1};
    const int accepted = witness.accepted;
    witness = {};
    witness.accepted = accepted;
    for (int i = 0; i < 400; ++i) random_operation(ledger, random, now, witness);
  }
  CHECK(witness.accepted > 2'000);
}

SCENARIO("LEDGER-1 and LEDGER-2 hold, shrunk where they fail", "[ledger][LEDGER-1][LEDGER-2]") {
  CHECK(rc::check("reserve, settle, void and expire in any order", [] {
    Ledger ledger{1};
    RC_ASSERT(ledger.mint(mint_of_parts(1'000, 0, 100)).has_value());
    RC_ASSERT(ledger.grant(region, {1'000}, {1'000}).has_value());
    Energy resolved;
    std::uint64_t next = 1, topped_up = 0;
    Window now{1};
    const auto events = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 5), rc::gen::inRange(0, 50)));
    for (const auto& [event, number] : events) {
      const auto id = static_cast<std::uint64_t>(number % 8);
      const Energy open = ledger.reserved(region, id).value_or(Energy{-1});
      switch (event) {
        case 0:
          if (ledger.reserve(region, next, command(next), {std::int64_t{number} * 10}, now)) ++next;
          break;
        case 1:
          if (ledger.settle(region, id, {number}, now)) {
            RC_ASSERT(open >= Energy{number});
            resolved += Energy{number};
          }
          break;
        case 2:
          RC_ASSERT(ledger.release(region, id).has_value() == (open >= Energy{0}));
          break;
        case 3:
          RC_ASSERT(!ledger.top_up(region, id, command(++topped_up), {5}, now) ||
                    open >= Energy{0});
          break;
        default:
          now = now + 3;
          (void)ledger.expire(now, 20);
      }
      RC_ASSERT(ledger.conserves_energy());
      RC_ASSERT(ledger.balance().spent == resolved);
    }
  }));
}

}  // namespace
}  // namespace esper
