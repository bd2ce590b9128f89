#include "actors/decisions/allocation.hpp"

#include "actors/decisions/random.hpp"
#include "tests/test_seed.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace esper {
namespace {

RegionState asking(std::uint32_t region, std::int64_t price) {
  RegionState state;
  state.region = {region};
  state.asked = {price};
  state.confidence = 0.9;
  state.expected_gain = 0.02;
  return state;
}

AllocationConfig config_for(AllocationPolicy policy) {
  AllocationConfig config;
  config.policy = policy;
  return config;
}

SCENARIO("uniform shares are dealt in whole seeds, round robin", "[allocation]") {
  UniformAllocator uniform;
  const std::vector<RegionState> regions{asking(0, 30), asking(1, 20), asking(2, 0)};
  CHECK(uniform.deal(regions, {100}, {{3}, {}}) ==
        std::vector<Energy>{Energy{60}, Energy{40}, Energy{0}});
  CHECK(uniform.deal(regions, {29}, {{3}, {}}) ==
        std::vector<Energy>{Energy{0}, Energy{20}, Energy{0}});
  CHECK(uniform.deal(regions, {19}, {{3}, {}}) == std::vector<Energy>(3));
  CHECK(uniform.deal({}, {19}, {{3}, {}}).empty());
  THEN("another region begins each cycle") {
    const std::vector<RegionState> two{asking(0, 30), asking(1, 30)};
    CHECK(uniform.deal(two, {30}, {{2}, {}}) == std::vector<Energy>{Energy{30}, Energy{0}});
    CHECK(uniform.deal(two, {30}, {{3}, {}}) == std::vector<Energy>{Energy{0}, Energy{30}});
  }
}

SCENARIO("every policy deals whole seeds within its capacity", "[allocation]") {
  for (const AllocationPolicy policy : {AllocationPolicy::uniform, AllocationPolicy::bandit})
    CHECK(rc::check(std::string{name_of(policy)}, [&] {
      Allocator allocator = make_allocator(config_for(policy), 5);
      for (std::uint64_t cycle = 1; cycle < 6; ++cycle) {
        std::vector<RegionState> regions;
        std::vector<RegionResults> results(5);
        for (std::uint32_t region = 0; region < 5; ++region) {
          RegionState state = asking(region, *rc::gen::inRange(0, 200));
          state.refused = {*rc::gen::inRange(0, 300)};
          state.volatility = *rc::gen::arbitrary<double>();
          state.confidence = *rc::gen::arbitrary<double>();
          state.expected_gain = *rc::gen::arbitrary<double>();
          regions.push_back(state);
          results[region].region = {region};
          results[region].wins = *rc::gen::inRange<std::uint32_t>(0, 4);
          results[region].losses = *rc::gen::inRange<std::uint32_t>(0, 4);
          results[region].regressions = *rc::gen::inRange<std::uint32_t>(0, 4);
          results[region].calibration = *rc::gen::arbitrary<double>();
        }
        const Energy capacity{*rc::gen::inRange(0, 500)};
        const auto posture = *rc::gen::element(Posture::explore, Posture::exploit);
        Allocator twin = allocator;
        const auto grants = deal(allocator, regions, capacity, {{cycle}, posture});
        RC_ASSERT(grants == deal(twin, regions, capacity, {{cycle}, posture}));
        RC_ASSERT(grants.size() == regions.size());
        Energy sum;
        for (std::size_t place = 0; place < grants.size(); ++place) {
          sum += grants[place];
          const std::int64_t price = regions[place].asked.thousandths;
          const bool whole_seeds =
              price > 0 ? grants[place].thousandths % price == 0 : grants[place] == Energy{0};
          RC_ASSERT(whole_seeds);
          RC_ASSERT(grants[place].thousandths <= price * std::int64_t{seeds_per_cycle_max});
        }
        RC_ASSERT(sum <= capacity);
        learn(allocator, results);
        RC_ASSERT(finite(risk_price(allocator)) && risk_price(allocator) >= 0);
      }
    }));
}

SCENARIO("a dearer seed is dealt later", "[allocation]") {
  BanditAllocator bandit{{}, 2};
  CHECK(bandit.deal({asking(0, 40), asking(1, 30)}, {40}, {{1}, Posture::exploit}) ==
        std::vector<Energy>{Energy{0}, Energy{30}});
}

SCENARIO("of two alike each is dealt one seed before either has two", "[allocation]") {
  BanditAllocator bandit{{}, 2};
  CHECK(bandit.deal({asking(0, 30), asking(1, 30)}, {60}, {{1}, Posture::exploit}) ==
        std::vector<Energy>{Energy{30}, Energy{30}});
}

SCENARIO("a shaking region is dealt less", "[allocation]") {
  BanditAllocator bandit{{}, 2};
  RegionState shaking = asking(0, 30);
  shaking.volatility = 1;
  CHECK(bandit.deal({shaking, asking(1, 30)}, {30}, {{1}, Posture::exploit}) ==
        std::vector<Energy>{Energy{0}, Energy{30}});
}

SCENARIO("the bandit goes on probing when all it tried failed", "[allocation]") {
  BanditAllocator bandit{{}, 2};
  const std::vector<RegionState> regions{asking(0, 30), asking(1, 30)};
  std::array<int, 2> probes{};
  for (std::uint64_t cycle = 1; cycle <= 40; ++cycle) {
    const auto grants = bandit.deal(regions, {300}, {{cycle}, Posture::exploit});
    std::vector<RegionResults> results;
    for (std::uint32_t region = 0; region < 2; ++region) {
      const auto seeds = static_cast<std::uint32_t>(grants[region].thousandths / 30);
      results.push_back({{region}, 0, seeds, seeds, 1});
      probes.at(region) += cycle > 20 ? static_cast<int>(seeds) : 0;
    }
    bandit.learn(results);
  }
  CHECK(probes[0] + probes[1] == 20);  // one seed a cycle in the end
  CHECK(bandit.deal(regions, {300}, {{41}, Posture::crisis}) == std::vector<Energy>(2));
}

/// Who gets the only seed that the capacity pays for.
std::size_t chosen(BanditAllocator bandit, const std::vector<RegionState>& regions,
                   Posture posture) {
  const auto grants = bandit.deal(regions, {30}, {{1}, posture});
  return grants[0] > Energy{} ? 0 : grants[1] > Energy{} ? 1 : 2;
}

SCENARIO("the unknown is tried in explore alone", "[allocation]") {
  AllocationConfig config;
  config.exploration = 5;
  BanditAllocator bandit{config, 2};
  RegionState known = asking(0, 30), unknown = asking(1, 30);
  unknown.confidence = 0;
  for (std::uint64_t cycle = 1; cycle <= 200; ++cycle) {
    (void)bandit.deal({known}, {30}, {{cycle}, Posture::exploit});
    bandit.learn({{{0}, 1, 0, 0, 1}});
  }
  CHECK(chosen(bandit, {known, unknown}, Posture::exploit) == 0);
  CHECK(chosen(bandit, {known, unknown}, Posture::explore) == 1);
}

SCENARIO("regressions anywhere make risk dearer everywhere", "[allocation]") {
  BanditAllocator bandit{{}, 2};
  RegionState shaking = asking(0, 30);
  shaking.volatility = 1;
  const auto seeds = [&] {
    return bandit.deal({shaking}, {300}, {{1}, Posture::exploit})[0].thousandths / 30;
  };
  CHECK(seeds() == seeds_per_cycle_max);
  for (int cycle = 0; cycle < 4; ++cycle) bandit.learn({{{1}, 0, 2, 2, 1}});
  CHECK(bandit.risk_price() > 1);
  CHECK(seeds() == 1);  // a probe, no more
}

SCENARIO("what is seen of a region tells the bandit what its seeds bring", "[allocation]") {
  // Two regions with one past: in turn, one is confident and wins, the other is not and loses.
  const auto learned = [](bool regress) {
    BanditAllocator bandit{{}, 2};
    for (std::uint64_t cycle = 1; cycle <= 40; ++cycle) {
      std::vector<RegionState> regions{asking(0, 30), asking(1, 30)};
      const std::size_t winner = cycle % 2;
      regions[winner].confidence = 1;
      regions[1 - winner].confidence = 0;
      (void)bandit.deal(regions, {300}, {{cycle}, Posture::exploit});
      std::vector<RegionResults> results{{{0}, 0, 0, 0, 1}, {{1}, 0, 0, 0, 1}};
      (regress ? results[1 - winner].regressions : results[winner].wins) = 1;
      results[1 - winner].losses = 1;
      if (regress) results[winner].losses = 1;
      bandit.learn(results);
    }
    return bandit;
  };
  for (const bool regress : {false, true})
    for (const std::size_t confident : {0U, 1U}) {
      CAPTURE(regress, confident);
      std::vector<RegionState> regions{asking(0, 30), asking(1, 30)};
      regions[1 - confident].confidence = 0;
      regions[confident].confidence = 1;
      CHECK(chosen(learned(regress), regions, Posture::exploit) == confident);
    }
}

SCENARIO("wins that bring less than was promised count for less", "[allocation]") {
  BanditAllocator bandit{{}, 2};
  RegionState boaster = asking(0, 30), honest = asking(1, 30);
  honest.confidence = 0.5;
  for (std::uint64_t cycle = 1; cycle <= 20; ++cycle) {
    (void)bandit.deal({boaster, honest}, {300}, {{cycle}, Posture::exploit});
    bandit.learn({{{0}, 1, 0, 0, 0}, {{1}, 1, 0, 0, 1}});
  }
  CHECK(chosen(bandit, {boaster, honest}, Posture::exploit) == 1);
}

/// Six regions whose seeds win, lose or regress with chances that follow from what can be seen:
/// volatile ones regress, confident ones win. One seed costs 30.
struct Problem {
  static constexpr std::uint32_t regions = 6;
  RandomStream random{test_seed(), "bandit problem"};
  bool everything_regresses{};

  std::vector<RegionState> states() {
    std::vector<RegionState> all;
    for (std::uint32_t region = 0; region < regions; ++region) {
      RegionState state = asking(region, 30);
      state.volatility = (region % 2 == 0 ? 0.1 : 0.7) + 0.2 * random.uniform();
      state.confidence = (region % 3 == 0 ? 0.8 : 0.3) + 0.2 * random.uniform();
      state.expected_gain = 0.05 * random.uniform();
      all.push_back(state);
    }
    return all;
  }

  /// Adds to `value`: 1 for a win, -1 for a regression.
  RegionResults play(const RegionState& state, Energy grant, double& value) {
    RegionResults results;
    results.region = state.region;
    for (std::int64_t seed = 0; seed < grant.thousandths / 30; ++seed) {
      const double chance = random.uniform();
      const double regresses = everything_regresses ? 1 : 0.7 * state.volatility * state.volatility;
      if (chance < regresses) {
        ++results.losses;
        ++results.regressions;
        value -= 1;
      } else if (chance < regresses + 0.8 * state.confidence * (1 - regresses)) {
        ++results.wins;
        value += 1;
      } else {
        ++results.losses;
      }
    }
    return results;
  }
};

double play(Allocator& allocator, Problem& problem, int cycles, Posture posture) {
  double value = 0;
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    const auto states = problem.states();
    const auto grants =
        deal(allocator, states, {100}, {{static_cast<std::uint64_t>(cycle)}, posture});
    std::vector<RegionResults> results;
    for (std::uint32_t region = 0; region < Problem::regions; ++region)
      results.push_back(problem.play(states[region], grants[region], value));
    learn(allocator, results);
  }
  return value;
}

SCENARIO("the bandit ends above uniform over 200 cycles", "[allocation]") {
  for (const Posture posture : {Posture::explore, Posture::exploit}) {
    Allocator uniform = make_allocator(config_for(AllocationPolicy::uniform), Problem::regions);
    Allocator bandit = make_allocator(config_for(AllocationPolicy::bandit), Problem::regions);
    Problem same, again;
    const double of_uniform = play(uniform, same, 200, posture);
    const double of_bandit = play(bandit, again, 200, posture);
    INFO(name_of(posture) << ": uniform " << of_uniform << ", bandit " << of_bandit);
    CHECK(of_bandit > 1.2 * std::max(of_uniform, 0.0));
  }
}

SCENARIO("planted regressions raise the risk price, and a quiet time lowers it", "[allocation]") {
  Allocator bandit = make_allocator(config_for(AllocationPolicy::bandit), Problem::regions);
  Problem problem;
  (void)play(bandit, problem, 50, Posture::explore);
  const double before = risk_price(bandit);
  problem.everything_regresses = true;
  (void)play(bandit, problem, 2, Posture::explore);
  const double planted = risk_price(bandit);
  CHECK(planted > before);
  for (int cycle = 0; cycle < 10'000 && risk_price(bandit) > 0; ++cycle) learn(bandit, {});
  CHECK(risk_price(bandit) == 0);
}

}  // namespace
}  // namespace esper
