#include "actors/decisions/alpha_ramp.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <limits>

namespace esper {
namespace {

void take_window(AlphaRamp& ramp) {
  for (std::uint32_t step = 0; step < ramp.ramp_steps; ++step) take_step(ramp);
}

SCENARIO("a ramp climbs one stage per advance", "[alpha_ramp]") {
  GIVEN("four stages over windows of four steps") {
    AlphaRamp ramp = alpha_ramp({0.25, 0.5, 0.75, 1.0}, 4);
    CHECK(take_step(ramp) == 0);
    WHEN("it advances") {
      advance(ramp);
      THEN("alpha is linear within the window and exact at its end") {
        CHECK(take_step(ramp) == 0.0625);
        CHECK(take_step(ramp) == 0.125);
        CHECK(take_step(ramp) == 0.1875);
        CHECK(take_step(ramp) == 0.25);
        AND_THEN("it is frozen without another advance") {
          take_window(ramp);
          CHECK(ramp.alpha == 0.25);
          CHECK_FALSE(at_full_alpha(ramp));
        }
      }
    }
    WHEN("it holds in the middle of a stage") {
      advance(ramp);
      take_step(ramp);
      hold(ramp);
      take_window(ramp);
      THEN("alpha stays, and the next advance goes on from there to the next stage") {
        CHECK(ramp.alpha == 0.0625);
        advance(ramp);
        take_window(ramp);
        CHECK(ramp.alpha == 0.5);
      }
    }
    WHEN("it escapes") {
      for (int stage = 0; stage < 3; ++stage) {
        advance(ramp);
        take_window(ramp);
      }
      escape(ramp);
      THEN("alpha is 0 and stays there; an advance begins again at the first stage") {
        take_window(ramp);
        CHECK(ramp.alpha == 0);
        advance(ramp);
        take_window(ramp);
        CHECK(ramp.alpha == 0.25);
      }
    }
  }
}

SCENARIO("a ramp goes down one stage per descent, to exactly 0", "[alpha_ramp]") {
  AlphaRamp ramp = alpha_ramp({0.25, 0.5, 0.75, 1.0}, 4);
  for (int stage = 0; stage < 4; ++stage) {
    advance(ramp);
    take_window(ramp);
  }
  descend(ramp);
  CHECK(take_step(ramp) == 0.9375);
  CHECK(take_step(ramp) == 0.875);
  hold(ramp);
  take_window(ramp);
  CHECK(ramp.alpha == 0.875);
  for (const double expected : {0.75, 0.5, 0.25, 0.0, 0.0}) {
    descend(ramp);
    CHECK(ramp.alpha >= expected);
    take_window(ramp);
    CHECK(ramp.alpha == expected);
  }
}

SCENARIO("unusable stages are told", "[alpha_ramp]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(usable_alpha_stages({1.0}));
  CHECK(usable_alpha_stages({0.1, 0.2}));
  CHECK_FALSE(usable_alpha_stages({}));
  CHECK_FALSE(usable_alpha_stages({0.0, 1.0}));
  CHECK_FALSE(usable_alpha_stages({0.5, 0.5}));
  CHECK_FALSE(usable_alpha_stages({0.5, 1.5}));
  CHECK_FALSE(usable_alpha_stages({0.5, nan}));
}

SCENARIO("whatever the commands, alpha stays within its stages", "[alpha_ramp]") {
  CHECK(rc::check("alpha in [0, last stage], and rises only after an advance", [] {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 6);
    std::vector<double> stages;
    for (std::uint32_t i = 1; i <= count; ++i)
      stages.push_back(static_cast<double>(i) / static_cast<double>(count));
    AlphaRamp ramp = alpha_ramp(stages, *rc::gen::inRange<std::uint32_t>(0, 9));
    std::uint32_t risen = 0;
    for (const int action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 14))) {
      if (action == 0) escape(ramp);
      if (action == 1) hold(ramp);
      if (action == 2) advance(ramp), risen = 0;
      if (action >= 12) descend(ramp), risen = ramp.ramp_steps;
      const double before = ramp.alpha;
      const double alpha = take_step(ramp);
      if (alpha > before) ++risen;
      RC_ASSERT(alpha >= 0 && alpha <= stages.back());
      RC_ASSERT(risen <= ramp.ramp_steps);
      if (action >= 12) RC_ASSERT((alpha < before || before == 0));
      if (action == 0) RC_ASSERT(alpha == 0.0);
      if (action == 1) RC_ASSERT(alpha == before);
    }
    while (!at_full_alpha(ramp)) {
      advance(ramp);
      take_window(ramp);
    }
    RC_ASSERT(ramp.alpha == stages.back());
    for (std::uint32_t stage = 0; stage < count; ++stage) {
      descend(ramp);
      take_window(ramp);
    }
    RC_ASSERT(ramp.alpha == 0.0);
  }));
}

}  // namespace
}  // namespace esper
