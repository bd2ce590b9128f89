// Emergency energy in escrow, and the compaction account.
#include "tests/decisions/some_ledger.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace esper {
namespace {

SCENARIO("a scaffold's energy stands in escrow and is drawn window by window", "[ledger]") {
  Ledger ledger{2};
  REQUIRE(ledger.mint(mint_of_parts(0, 100, 0)));
  REQUIRE(ledger.grant_scaffold(region, {60}, {5}, {1}));
  CHECK(ledger.emergency() == Energy{40});
  CHECK(ledger.lease(region).free == Energy{0});
  CHECK(ledger.balance().available == Energy{100});
  WHEN("it is drawn from") {
    REQUIRE(ledger.draw(region, command(1), {25}, {4}));
    CHECK(ledger.balance().spent == Energy{25});
    CHECK(ledger.escrow(region).value().free == Energy{35});
    THEN("a command draws once") {
      const std::string before = seen(ledger);
      CHECK(ledger.draw(region, command(1), {5}, {5}).refusal() == LedgerRefusal::already_charged);
      CHECK(ledger.draw(region, command(2), {36}, {5}).refusal() ==
            LedgerRefusal::insufficient_energy);
      CHECK(ledger.draw(region, command(2), {-1}, {5}).refusal() ==
            LedgerRefusal::amount_out_of_range);
      CHECK(ledger.draw(region, command(2, 1, other), {1}, {5}).refusal() ==
            LedgerRefusal::foreign_command);
      CHECK(ledger.draw(other, command(2, 1, other), {1}, {5}).refusal() ==
            LedgerRefusal::no_escrow);
      CHECK(ledger.draw({2}, command(2, 1, {2}), {1}, {5}).refusal() ==
            LedgerRefusal::unknown_region);
      CHECK(ledger.grant_scaffold(region, {1}, {9}, {5}).refusal() == LedgerRefusal::escrow_open);
      CHECK(seen(ledger) == before);
    }
    THEN("the rest goes back once") {
      REQUIRE(ledger.give_back(region));
      CHECK(ledger.emergency() == Energy{75});
      CHECK(ledger.give_back(region).refusal() == LedgerRefusal::no_escrow);
      CHECK(ledger.draw(region, command(2), {1}, {5}).refusal() == LedgerRefusal::no_escrow);
    }
    THEN("what nobody draws from any more is reclaimed") {
      CHECK(ledger.reclaim({23}, 20).empty());
      CHECK(ledger.reclaim({24}, 20) == std::vector<RegionId>{region});
      CHECK(ledger.emergency() == Energy{75});
    }
    THEN("emptied it stays until it is given back, and gives way to another") {
      REQUIRE(ledger.draw(region, command(2), {35}, {5}));
      CHECK(ledger.reclaim({99}, 20).empty());
      REQUIRE(ledger.grant_scaffold(region, {10}, {99}, {90}));
      REQUIRE(ledger.draw(region, command(3), {10}, {91}));
      REQUIRE(ledger.give_back(region));
      CHECK(ledger.emergency() == Energy{30});
    }
  }
  WHEN("it is never drawn from") {
    CHECK(ledger.reclaim({5}, 20).empty());
    CHECK(ledger.reclaim({6}, 20) == std::vector<RegionId>{region});
    CHECK(ledger.emergency() == Energy{100});
  }
  WHEN("the cycle ends") {
    ledger.close_cycle({30}, {30});
    THEN("the escrow stays, the pool lapses above what it keeps") {
      CHECK(ledger.escrow(region).value().free == Energy{60});
      CHECK(ledger.emergency() == Energy{30});
    }
  }
  CHECK(ledger.grant_scaffold(other, {101}, {9}, {5}).refusal() ==
        LedgerRefusal::insufficient_energy);
  CHECK(ledger.grant_scaffold(other, {-1}, {9}, {5}).refusal() ==
        LedgerRefusal::amount_out_of_range);
  CHECK(ledger.grant_scaffold({2}, {1}, {9}, {5}).refusal() == LedgerRefusal::unknown_region);
  CHECK(ledger.conserves_energy());
}

SCENARIO("a plan's price is set aside and resolved once", "[ledger]") {
  Ledger ledger{1};
  REQUIRE(ledger.mint(mint_of_parts(0, 0, 0, 50)));
  REQUIRE(ledger.commit_compaction(2, {30}));
  CHECK(ledger.compaction() == Energy{20});
  CHECK(ledger.balance().reserved == Energy{30});
  const std::string before = seen(ledger);
  for (const std::uint64_t again : {1U, 2U})
    CHECK(ledger.commit_compaction(again, {1}).refusal() == LedgerRefusal::already_charged);
  CHECK(ledger.commit_compaction(3, {21}).refusal() == LedgerRefusal::insufficient_energy);
  CHECK(ledger.commit_compaction(3, {-1}).refusal() == LedgerRefusal::amount_out_of_range);
  CHECK(ledger.settle_compaction(3).refusal() == LedgerRefusal::not_open);
  CHECK(seen(ledger) == before);
  WHEN("it is carried out") {
    REQUIRE(ledger.settle_compaction(2));
    CHECK(ledger.balance().spent == Energy{30});
    CHECK(ledger.void_compaction(2).refusal() == LedgerRefusal::not_open);
    CHECK(ledger.settle_compaction(2).refusal() == LedgerRefusal::not_open);
  }
  WHEN("it is not, in the same cycle") {
    REQUIRE(ledger.void_compaction(2));
    CHECK(ledger.compaction() == Energy{50});
    CHECK(ledger.settle_compaction(2).refusal() == LedgerRefusal::not_open);
  }
  WHEN("it is not, in a later cycle") {
    ledger.close_cycle({}, {});
    REQUIRE(ledger.mint(mint_of_parts(0, 0, 0, 7, {2})));
    CHECK(ledger.balance().reserved == Energy{30});
    REQUIRE(ledger.void_compaction(2));
    THEN("it lapses with its own") {
      CHECK(ledger.compaction() == Energy{7});
      CHECK(ledger.balance().lapsed == Energy{50});
    }
  }
  CHECK(ledger.conserves_energy());
}

}  // namespace
}  // namespace esper
