#include "actors/decisions/mint.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <limits>

namespace esper {
namespace {

SCENARIO("a cycle's mint follows posture and headroom", "[mint]") {
  const BudgetConfig budget;
  CHECK(full_mint(budget, 3) == Energy{150});
  const auto minted = [&](Posture posture, std::uint64_t regressions) {
    return mint_of({1}, {posture, regressions, 0, {}}, budget, 3).minted;
  };
  CHECK(minted(Posture::explore, 0) == Energy{150});
  CHECK(minted(Posture::exploit, 0) == Energy{90});
  CHECK(minted(Posture::crisis, 0) == Energy{45});
  CHECK(minted(Posture::hold, 0) == Energy{0});
  CHECK(minted(Posture::explore, 1) == Energy{75});
  CHECK(minted(Posture::explore, 2) == Energy{37});
  CHECK(headroom(0) == 1);
  CHECK(headroom(3) == 0.125);
  CHECK(headroom(4) == 0.125);
  CHECK(headroom(std::numeric_limits<std::uint64_t>::max()) == 0.125);
}

SCENARIO("a mint is split whole", "[mint]") {
  BudgetConfig budget;
  const Mint mint = mint_of({4}, {Posture::explore, 0, 0, {7}}, budget, 3);
  CHECK(mint.cycle == Cycle{4});
  CHECK(mint.emergency == Energy{15});
  CHECK(mint.safety == Energy{15});
  CHECK(mint.treasury == Energy{120});
  CHECK(mint.compaction == Energy{7});  // a mint of its own, beside the others
  CHECK(kept_max(budget, 3, budget.emergency_share, 3) == Energy{45});
  CHECK(rc::check("parts are never negative and sum to the mint", [] {
    BudgetConfig any;
    any.mint_per_region = *rc::gen::arbitrary<std::int64_t>();
    any.emergency_share = *rc::gen::inRange(-10, 21) / 10.0;
    any.emergency_sizing = *rc::gen::element(PoolSizing::fixed, PoolSizing::adaptive);
    any.safety_share = *rc::gen::inRange(-10, 21) / 10.0;
    const auto posture = *rc::gen::element(Posture::explore, Posture::exploit, Posture::crisis);
    const Mint some = mint_of(
        {1},
        {posture, *rc::gen::inRange<std::uint64_t>(0, 5), *rc::gen::inRange(-5, 15) / 10.0, {3}},
        any, *rc::gen::inRange<std::uint32_t>(0, 9));
    RC_ASSERT(some.minted == some.treasury + some.emergency + some.safety);
    RC_ASSERT(std::min({some.treasury, some.emergency, some.safety}) >= Energy{0});
    RC_ASSERT(some.minted <= energy_max);
  }));
  budget.emergency_share = std::numeric_limits<double>::quiet_NaN();
  CHECK(mint_of({1}, {Posture::explore, 0, 0, {}}, budget, 3).emergency == Energy{0});
}

SCENARIO("an adaptive pool follows the regions' volatility, and its part stays within the mint",
         "[mint]") {
  BudgetConfig budget;
  const auto pool = [&](double volatility) {
    return mint_of({1}, {Posture::explore, 0, volatility, {}}, budget, 10).emergency;
  };
  CHECK(pool(0) == Energy{50});
  CHECK(pool(1) == Energy{50});  // fixed
  budget.emergency_sizing = PoolSizing::adaptive;
  CHECK(pool(0) == Energy{25});
  CHECK(pool(0.25) == Energy{50});
  CHECK(pool(0.5) == Energy{75});
  CHECK(pool(1) == Energy{125});
  CHECK(pool(2) == Energy{125});
  CHECK(pool(std::numeric_limits<double>::quiet_NaN()) == Energy{125});
  const Mint shaken = mint_of({1}, {Posture::explore, 0, 1, {}}, budget, 10);
  CHECK(shaken.minted == Energy{500});
  CHECK(shaken.safety == Energy{50});
  CHECK(shaken.treasury == Energy{325});  // what the pool has more, the treasury has less
}

}  // namespace
}  // namespace esper
