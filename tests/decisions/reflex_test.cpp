#include "actors/decisions/reflex.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <limits>

namespace esper {
namespace {

ReflexConfig sigmas(double count, std::uint32_t history = 100) {
  ReflexConfig config;
  config.sigmas = count;
  config.history_steps = history;
  return config;
}

SCENARIO("a spike trips, an ordinary loss does not", "[reflex]") {
  GIVEN("losses of 1 and 3 in turn: mean 2, deviation 1") {
    Reflex reflex{sigmas(8)};
    for (int i = 0; i < 100; ++i) reflex.accept(i % 2 == 0 ? 1 : 3);
    CHECK(reflex.judge(10) == ReflexVerdict::calm);
    CHECK(reflex.judge(10.001) == ReflexVerdict::loss_spike);
    CHECK(reflex.judge(-1e9) == ReflexVerdict::calm);
    WHEN("a hundred later losses replace them") {
      for (int i = 0; i < 100; ++i) reflex.accept(i % 2 == 0 ? 11 : 13);
      THEN("they alone count") {
        CHECK(reflex.accepted() == 100);
        CHECK(reflex.judge(20) == ReflexVerdict::calm);
        CHECK(reflex.judge(20.1) == ReflexVerdict::loss_spike);
      }
    }
  }
}

SCENARIO("non-finite losses trip at once and are never remembered", "[reflex]") {
  Reflex reflex{sigmas(8)};
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    CHECK(reflex.judge(bad) == ReflexVerdict::non_finite_loss);
    reflex.accept(bad);
  }
  CHECK(reflex.accepted() == 0);
}

SCENARIO("a short history trips on nothing finite", "[reflex]") {
  Reflex reflex{sigmas(8)};
  for (std::uint32_t i = 0; i + 1 < Reflex::history_min; ++i) reflex.accept(1);
  CHECK(reflex.judge(1e9) == ReflexVerdict::calm);
  reflex.accept(1);
  CHECK(reflex.judge(1e9) == ReflexVerdict::loss_spike);
}

SCENARIO("whatever was accepted, a repeated constant never trips", "[reflex]") {
  CHECK(rc::check("a flat history accepts its own value", [] {
    const double value = *rc::gen::inRange(-1000, 1000) / 7.0;
    Reflex reflex{sigmas(8, *rc::gen::inRange<std::uint32_t>(0, 130))};
    for (int i = 0; i < 150; ++i) reflex.accept(value);
    RC_ASSERT(reflex.judge(value) == ReflexVerdict::calm);
  }));
}

}  // namespace
}  // namespace esper
