#include "actors/decisions/pricing.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <limits>

namespace esper {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

double some_share() { return *rc::gen::inRange(0, 2001) / 2000.0; }

PriceInputs some_inputs() {
  return {some_share(),     some_share(),     some_share(),
          2 * some_share(), 2 * some_share(), *rc::gen::arbitrary<bool>()};
}

SCENARIO("a price follows its formula", "[pricing]") {
  const BudgetConfig budget;
  GIVEN("a seed in the middle of the host") {
    const Price price = price_of({0.5, 0.25, 0.75, 0.5, 0.125, false}, budget);
    CHECK(price.risk == 0.625);
    CHECK(price.disruption == Approx(0.75 * (0.5 * 0.5 + 0.3 * 0.125)));
    CHECK(price.energy == Energy{135});  // 1000 * 0.625 * 0.215625 = 134.77
  }
  GIVEN("next to no risk") {
    CHECK(price_of({0, 0, 0.5, 1, 1, false}, budget).energy == Energy{budget.price_min});
  }
  GIVEN("a scaffold on the task's graph") {
    CHECK(price_of({1, 0, 1, 1, 1, true}, budget).energy == Energy{1000});
    CHECK(price_of({1, 0, 1, 1, 1, false}, budget).energy == Energy{800});
  }
  GIVEN("numbers that are none") {
    CHECK(price_of({nan, nan, nan, nan, nan, true}, budget).energy == Energy{1000});
    CHECK(price_of({infinity, -1, infinity, infinity, infinity, true}, budget).energy ==
          Energy{1000});
  }
}

SCENARIO("volatility compares sigma with its base", "[pricing]") {
  CHECK(volatility(1, 1) == 0);
  CHECK(volatility(0.1, 1) == 0);
  CHECK(volatility(2, 1) == 0.5);
  CHECK(volatility(9, 1) == 1);
  CHECK(volatility(1, 0) == 0);
  CHECK(volatility(1, nan) == 0);
  CHECK(volatility(nan, 1) == 1);
  CHECK(volatility(infinity, 1) == 1);
}

SCENARIO("prices are monotone and their shares sum to the whole", "[pricing]") {
  const BudgetConfig budget;
  const std::pair<const char*, double PriceInputs::*> inputs[]{
      {"risk", &PriceInputs::base_risk},
      {"volatility", &PriceInputs::volatility},
      {"downstream", &PriceInputs::downstream},
      {"relative norm", &PriceInputs::relative_norm},
      {"parameters", &PriceInputs::parameters_share}};
  for (const auto& [name, member] : inputs)
    CHECK(rc::check(std::string{"never cheaper for more "} + name, [&, part = member] {
      PriceInputs lower = some_inputs();
      PriceInputs higher = lower;
      higher.*part += some_share();
      const Energy cheap = price_of(lower, budget).energy;
      const Energy dear = price_of(higher, budget).energy;
      RC_ASSERT(cheap <= dear);
      RC_ASSERT(cheap.thousandths >= budget.price_min && dear.thousandths <= 1000);
    }));
  CHECK(rc::check("three shares, none negative, sum to the price", [] {
    BudgetConfig any;
    any.germinate_share = some_share();
    any.graft_share = some_share();
    const Energy whole{*rc::gen::inRange<std::int64_t>(0, 1001)};
    const PriceShares shares = shares_of(whole, any);
    RC_ASSERT(shares.germinate + shares.graft + shares.stabilise == whole);
    RC_ASSERT(std::min({shares.germinate, shares.graft, shares.stabilise}) >= Energy{0});
  }));
  const PriceShares ten = shares_of({10}, budget);
  CHECK(ten.germinate == Energy{2});
  CHECK(ten.graft == Energy{6});
  CHECK(ten.stabilise == Energy{2});
}

SCENARIO("noise raises a price step by step", "[pricing]") {
  const BudgetConfig budget;
  Energy before{0};
  for (const double sigma : {1.0, 1.5, 2.0, 3.0}) {
    const Energy energy =
        price_of({0.3, volatility(sigma, 1), 0.6, 0.4, 0.1, false}, budget).energy;
    CHECK(energy > before);
    before = energy;
  }
}

}  // namespace
}  // namespace esper
