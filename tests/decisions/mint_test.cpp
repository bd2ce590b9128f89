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
    return mint_of({1}, posture, regressions, budget, 3).minted;
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
  const Mint mint = mint_of({4}, Posture::explore, 0, budget, 3);
  CHECK(mint.cycle == Cycle{4});
  CHECK(mint.emergency == Energy{15});
  CHECK(mint.safety == Energy{15});
  CHECK(mint.treasury == Energy{120});
  CHECK(mint.compaction == Energy{0});
  CHECK(kept_max(budget, 3, budget.emergency_share, 3) == Energy{45});
  CHECK(rc::check("parts are never negative and sum to the mint", [] {
    BudgetConfig any;
    any.mint_per_region = *rc::gen::arbitrary<std::int64_t>();
    any.emergency_share = *rc::gen::inRange(-10, 21) / 10.0;
    any.safety_share = *rc::gen::inRange(-10, 21) / 10.0;
    const auto posture = *rc::gen::element(Posture::explore, Posture::exploit, Posture::crisis);
    const Mint some = mint_of({1}, posture, *rc::gen::inRange<std::uint64_t>(0, 5), any,
                              *rc::gen::inRange<std::uint32_t>(0, 9));
    RC_ASSERT(some.minted == some.treasury + some.emergency + some.safety);
    RC_ASSERT(std::min({some.treasury, some.emergency, some.safety}) >= Energy{0});
    RC_ASSERT(some.minted <= energy_max);
  }));
  budget.emergency_share = std::numeric_limits<double>::quiet_NaN();
  CHECK(mint_of({1}, Posture::explore, 0, budget, 3).emergency == Energy{0});
}

}  // namespace
}  // namespace esper
