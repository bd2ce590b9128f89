#include "actors/decisions/book.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>
#include <set>

namespace esper {
namespace {

std::array<CommandId, 3> ids(std::uint64_t first) {
  return {CommandId{{0}, {1}, first}, {{0}, {1}, first + 1}, {{0}, {1}, first + 2}};
}

Book leased(std::int64_t energy) {
  Book book{{0}};
  book.renew({{0}, {1}, {energy}, {7}});
  return book;
}

SCENARIO("a seed is reserved whole or not at all", "[book]") {
  Book book = leased(100);
  const auto refused = book.reserve_seed({1}, {{20}, {61}, {20}}, ids(1));
  REQUIRE_FALSE(refused);
  CHECK(refused.refusal() == BookRefusal::insufficient_energy);
  CHECK(book.free() == Energy{100});
  CHECK(book.take_movements().empty());
  REQUIRE(book.reserve_seed({1}, {{20}, {60}, {20}}, ids(1)));
  CHECK(book.free() == Energy{0});
  CHECK(book.take_movements().size() == 3);
  const auto twice = book.reserve_seed({1}, {{0}, {0}, {0}}, ids(4));
  REQUIRE_FALSE(twice);
  CHECK(twice.refusal() == BookRefusal::already_reserved);
  WHEN("its germination is paid and the rest released") {
    book.settle({1}, ReservationPart::germinate, {15}, {});
    book.settle({1}, ReservationPart::germinate, {15}, {});
    book.release({1});
    book.release({1});
    THEN("each part was resolved once") {
      CHECK(book.free() == Energy{85});
      const auto movements = book.take_movements();
      REQUIRE(movements.size() == 3);
      CHECK(movements[0].kind == MovementKind::settle);
      CHECK(movements[0].energy == Energy{15});
      CHECK(movements[2].kind == MovementKind::release);
    }
  }
}

SCENARIO("a lease ends and is replaced", "[book]") {
  Book book = leased(100);
  CHECK(book.has_authority({7}));
  CHECK_FALSE(book.has_authority({8}));
  book.end_lease({7});
  CHECK(book.free() == Energy{100});
  book.end_lease({8});
  CHECK(book.free() == Energy{0});
  book.renew({{1}, {2}, {50}, {20}});  // another region's
  CHECK_FALSE(book.has_authority({8}));
  book.renew({{0}, {2}, {50}, {20}});
  book.add({5});
  CHECK(book.free() == Energy{55});
  book.add({-9});
  CHECK(book.free() == Energy{55});
}

SCENARIO("a rise is reserved, or asked of the safety reserve and answered", "[book]") {
  Book book = leased(100);
  REQUIRE(book.reserve_seed({1}, {{20}, {60}, {10}}, ids(1)));
  CHECK_FALSE(book.reserve_rise({1}, {11}, {}));
  CHECK(book.reserve_rise({1}, {10}, {}));
  (void)book.take_movements();
  CHECK(book.ask_top_up({1}, {7}, {}));
  CHECK_FALSE(book.ask_top_up({2}, {7}, {}));
  const auto asked = book.take_movements();
  REQUIRE(asked.size() == 1);
  book.take_top_up({{0}, asked[0].reservation, {7}});
  CHECK(book.find({1}, ReservationPart::graft)->energy == Energy{67});
  CHECK(book.open({1}) == Energy{107});
  CHECK(book.expire(asked[0].reservation) == SeedId{1});
  CHECK_FALSE(book.expire(asked[0].reservation).has_value());
  CHECK(book.open({1}) == Energy{40});
}

SCENARIO("LEDGER-2 in one region: no number twice, no reservation resolved twice, never negative",
         "[book][LEDGER-2]") {
  CHECK(rc::check("free + open + spent == leased", [] {
    Book book = leased(1'000);
    std::int64_t spent = 0;
    std::uint64_t sequence = 1;
    std::uint64_t last = 0;
    std::map<std::uint64_t, Energy> open;
    for (const int action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 400))) {
      const SeedId seed{static_cast<std::uint64_t>(action % 5 + 1)};
      const Energy energy{action};
      if (action % 4 == 0)
        (void)book.reserve_seed(seed, {energy, energy, energy}, ids(sequence += 3));
      if (action % 4 == 1) book.settle(seed, static_cast<ReservationPart>(action % 3), energy, {});
      if (action % 4 == 2) book.release(seed);
      if (action % 4 == 3) (void)book.reserve_rise(seed, energy, {{0}, {1}, ++sequence});
      for (const Movement& movement : book.take_movements()) {
        if (movement.kind == MovementKind::reserve) {
          RC_ASSERT(movement.reservation > last);
          last = movement.reservation;
          open[movement.reservation] = movement.energy;
        } else {
          RC_ASSERT(open.contains(movement.reservation));
          if (movement.kind == MovementKind::settle) spent += movement.energy.thousandths;
          RC_ASSERT(movement.energy <= open[movement.reservation]);
          open.erase(movement.reservation);
        }
      }
      RC_ASSERT(book.free() >= Energy{0});
      RC_ASSERT(book.free() + book.open() + Energy{spent} == Energy{1'000});
    }
  }));
}

}  // namespace
}  // namespace esper
