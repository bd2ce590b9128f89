// What a person may pin, and that it binds as long as it holds and no longer.
#include "actors/decisions/overrides.hpp"

#include <catch2/catch.hpp>

#include "actors/decisions/tactics.hpp"
#include "tests/decisions/scripted_region.hpp"
#include "tests/decisions/some_reports.hpp"
#include "tests/decisions/turn_reports.hpp"
#include "tests/some_override.hpp"

namespace esper {
namespace {

StrategyPart turn_with(Strategy& strategy, std::uint64_t window,
                       const std::vector<Override>& overrides = {}) {
  auto turn = turn_reports({window}, calm_reports({window}));
  turn.overrides = overrides;
  return decide(strategy, turn, first_epoch);
}

}  // namespace

SCENARIO("an override that cannot be is refused with its reason", "[overrides]") {
  HostDescription host;
  host.regions.resize(2);
  const Window next{10};
  auto freeze = some_override(OverrideKind::freeze, {12}, {1});
  CHECK(flaw_of(freeze, host, next).empty());
  freeze.from = {10};
  CHECK(flaw_of(freeze, host, next).empty());
  freeze.from = {9};
  CHECK(flaw_of(freeze, host, next).find("is over") != std::string::npos);
  freeze.from = {13};
  CHECK(flaw_of(freeze, host, next).find("ends before") != std::string::npos);
  freeze.from = {};
  freeze.region = {2};
  CHECK(flaw_of(freeze, host, next).find("no region") != std::string::npos);
  freeze.region = {1};
  freeze.until = {9};
  CHECK(flaw_of(freeze, host, next).find("ends before") != std::string::npos);
  CHECK(flaw_of(some_override(OverrideKind::escape, {}, {0}), host, next).empty());
  auto grant = some_override(OverrideKind::grant, {12}, {0});
  grant.energy = {-1};
  CHECK_FALSE(flaw_of(grant, host, next).empty());
  auto silent = some_override(OverrideKind::posture, {12});
  silent.why.clear();
  CHECK(flaw_of(silent, host, next).find("reason") != std::string::npos);
}

SCENARIO("the newest override of a kind holds, until its window is over", "[overrides]") {
  Overrides overrides;
  auto first = some_override(OverrideKind::grant, {20}, {1}), second = first;
  first.energy = {5};
  second.energy = {7};
  second.until = {10};
  overrides.follow({first}, {8});
  overrides.follow({second}, {9});
  CHECK(overrides.held(OverrideKind::grant, {0}) == nullptr);
  CHECK(overrides.held(OverrideKind::freeze, {1}) == nullptr);
  overrides.follow({}, {10});
  REQUIRE(overrides.held(OverrideKind::grant, {1}) != nullptr);
  CHECK(overrides.held(OverrideKind::grant, {1})->energy == Energy{7});
  overrides.follow({}, {11});
  REQUIRE(overrides.held(OverrideKind::grant, {1}) != nullptr);
  CHECK(overrides.held(OverrideKind::grant, {1})->energy == Energy{5});
  overrides.follow({}, {21});
  CHECK(overrides.held(OverrideKind::grant, {1}) == nullptr);
}

SCENARIO("a pinned posture holds whatever the reports say, and ends", "[overrides]") {
  Strategy strategy(strategy_settings());
  turn_with(strategy, 1);
  auto pin = some_override(OverrideKind::posture, {7});
  pin.posture = Posture::hold;
  const auto pinned = turn_with(strategy, 2, {pin});
  REQUIRE(pinned.posture);
  CHECK(pinned.posture->to == Posture::hold);
  CHECK(pinned.posture->reason == "pinned by somebody: to see");
  for (std::uint64_t window = 3; window <= 7; ++window) {
    const auto part = turn_with(strategy, window);
    CHECK_FALSE(part.posture);
    if (part.mint) CHECK(part.mint->minted == Energy{});
  }
  const auto after = turn_with(strategy, 8);
  REQUIRE(after.posture);
  CHECK(after.posture->to == Posture::explore);
}

SCENARIO("a pinned grant is dealt at each mint, as far as the treasury goes", "[overrides]") {
  Strategy strategy(strategy_settings());
  auto pin = some_override(OverrideKind::grant, {7}, {1});
  const auto granted = [&](std::uint64_t window, const std::vector<Override>& overrides) {
    const auto part = turn_with(strategy, window, overrides);
    REQUIRE(part.answers[1].allocation);
    return part.answers[1].allocation->energy;
  };
  GIVEN("one that can be paid") {
    pin.energy = {7};
    CHECK(granted(1, {pin}) == Energy{7});
    for (std::uint64_t window = 2; window < 6; ++window) turn_with(strategy, window);
    CHECK(granted(6, {}) == Energy{7});
    for (std::uint64_t window = 7; window < 12; ++window) turn_with(strategy, window);
    CHECK(granted(12, {}) != Energy{7});
  }
  GIVEN("one far beyond it: nobody else gets anything, and the ledger holds") {
    pin.energy = {1'000'000};
    const auto part = turn_with(strategy, 1, {pin});
    REQUIRE(part.answers[1].allocation);
    CHECK(part.answers[1].allocation->energy < Energy{300});
    CHECK(part.answers[1].allocation->energy > Energy{100});
    CHECK(part.answers[0].allocation->energy == Energy{});
    CHECK(strategy.ledger.conserves_energy());
  }
}

SCENARIO("a frozen region commands nothing and asks for nothing, and goes on afterwards",
         "[overrides]") {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics(region.settings);
  std::size_t before = 0, frozen = 0, after = 0;
  for (std::uint64_t window = 1; window <= 60; ++window) {
    auto turn = region.next();
    if (window == 10) turn.overrides = {some_override(OverrideKind::freeze, {20})};
    const auto part = decide(tactics, turn, {1});
    const bool cold = window >= 10 && window <= 20;
    CHECK(part.report.frozen == cold);
    if (cold) {
      CHECK(part.commands.empty());
      CHECK(part.proposals.empty());
      CHECK(part.report.asked == Energy{});
      ++frozen;
    } else {
      (window < 10 ? before : after) += part.commands.size();
    }
    region.take(part);
  }
  CHECK(frozen == 11);
  CHECK(before > 0);
  CHECK(after > 0);
  CHECK(region.wrongs.empty());
}

SCENARIO("an escape that a person asked for takes every seed of the region to alpha 0",
         "[overrides]") {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics(region.settings);
  const auto blended = [&] {
    return std::any_of(region.seeds.begin(), region.seeds.end(),
                       [](const ScriptedSeed& seed) { return seed.ramp.alpha > 0; });
  };
  std::uint64_t window = 0;
  while (!blended() && ++window < 100) region.take(decide(tactics, region.next(), {1}));
  REQUIRE(blended());
  auto turn = region.next();
  turn.overrides = {some_override(OverrideKind::escape, turn.window)};
  const auto part = decide(tactics, turn, {1});
  CHECK(std::count_if(part.commands.begin(), part.commands.end(), [](const auto& command) {
          return command.kind == CommandKind::escape;
        }) == 1);
  region.take(part);
  const auto next = region.next();  // at whose boundary it is carried out
  CHECK_FALSE(blended());
  const auto later = decide(tactics, next, {1});
  CHECK(std::none_of(later.commands.begin(), later.commands.end(),
                     [](const auto& command) { return command.kind == CommandKind::escape; }));
}

SCENARIO("what was told while a role was away binds it when it is back", "[overrides]") {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics(region.settings);
  for (int i = 0; i < 3; ++i) region.take(decide(tactics, region.next(), {1}));
  auto missed = region.next();
  missed.overrides = {some_override(OverrideKind::freeze, {9}),
                      some_override(OverrideKind::escape, {4})};
  miss(tactics, missed);
  region.take_absence();
  const auto part = decide(tactics, region.next(), {1});
  CHECK(part.report.frozen);
  REQUIRE(part.commands.size() == 1);
  CHECK(part.commands.front().kind == CommandKind::escape);

  Strategy strategy(strategy_settings());
  turn_with(strategy, 1);
  auto turn = turn_reports({2}, calm_reports({2}));
  turn.overrides = {some_override(OverrideKind::posture, {7})};
  turn.overrides.front().posture = Posture::exploit;
  miss(strategy, turn);
  CHECK(turn_with(strategy, 3).posture.value().to == Posture::exploit);
}

}  // namespace esper
