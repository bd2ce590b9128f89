#include "actors/decisions/throttle.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace esper {
namespace {

/// What one cycle ended with, and what the next begins in.
struct Past {
  std::int64_t spend{}, forecast{};
  Posture posture{};
  bool zone{};
};

std::vector<Energy> allowances(const std::vector<Past>& history, const BudgetConfig& budget) {
  ThrottleHistory throttle;
  std::vector<Energy> given;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const Past& past = history[i];
    given.push_back(
        next_allowance(
            throttle, {{i + 1}, {past.spend}, {past.forecast}, past.posture, past.zone, 10}, budget)
            .allowance);
  }
  return given;
}

std::vector<Energy> steady(std::int64_t spend, std::size_t cycles = 12) {
  return allowances(std::vector<Past>(cycles, Past{spend, 0, Posture::explore, false}), {});
}

SCENARIO("pruning is allowed what growth leaves", "[throttle]") {
  const BudgetConfig budget;  // ten regions: a mint of 500, 40 % of it is 200
  CHECK(pruning_base(budget, 10) == Energy{200});
  GIVEN("nothing spent") { CHECK(steady(0).back() == Energy{200}); }
  GIVEN("some, and twice as much") {
    CHECK(steady(100).back() == Energy{140});
    CHECK(steady(200).back() == Energy{80});
    CHECK(steady(400).back() == Energy{0});
  }
  GIVEN("a forecast") {
    CHECK(allowances(std::vector<Past>(12, Past{60, 40, Posture::explore, false}), budget) ==
          steady(100));
  }
  GIVEN("a crisis, a hold and a zone") {
    const Past calm{0, 0, Posture::exploit, false};
    CHECK(allowances({calm, {0, 0, Posture::crisis, false}, calm, calm}, budget) ==
          std::vector<Energy>{{200}, {0}, {0}, {200}});
    CHECK(allowances({calm, {0, 0, Posture::hold, false}}, budget).back() == Energy{0});
    CHECK(allowances({calm, {0, 0, Posture::exploit, true}, calm, calm}, budget) ==
          std::vector<Energy>{{200}, {60}, {60}, {200}});
  }
  GIVEN("a spree: it falls at once, and rises one calm cycle later") {
    const Past calm{0, 0, Posture::explore, false};
    const auto given = allowances({calm, {200, 0, Posture::explore, false}, calm, calm}, budget);
    CHECK(given == std::vector<Energy>{{200}, {140}, {140}, {170}});
  }
}

SCENARIO("numbers that are none allow nothing", "[throttle]") {
  BudgetConfig budget;
  budget.throttle = std::numeric_limits<double>::quiet_NaN();
  CHECK(allowances({{1, 0, Posture::explore, false}}, budget).back() == Energy{0});
  budget = {};
  budget.compaction_share = std::numeric_limits<double>::quiet_NaN();
  CHECK(allowances({{}}, budget).back() == Energy{0});
  const std::int64_t absurd = std::numeric_limits<std::int64_t>::max();
  CHECK(allowances({{absurd, absurd, Posture::explore, false}}, {}).back() == Energy{0});
  CHECK(allowances({{-5, std::numeric_limits<std::int64_t>::min(), Posture::explore, false}}, {})
            .back() == Energy{200});
}

std::vector<Past> some_history() {
  return *rc::gen::container<std::vector<Past>>(rc::gen::apply(
      [](std::int64_t spend, std::int64_t forecast, Posture posture, int zone) {
        return Past{spend, forecast, posture, zone == 0};
      },
      rc::gen::inRange<std::int64_t>(0, 400), rc::gen::inRange<std::int64_t>(0, 200),
      rc::gen::weightedElement<Posture>(
          {{6, Posture::explore}, {4, Posture::exploit}, {1, Posture::crisis}, {1, Posture::hold}}),
      rc::gen::inRange(0, 5)));
}

BudgetConfig some_budget() {
  BudgetConfig budget;
  budget.mint_per_region = *rc::gen::inRange<std::int64_t>(0, 200);
  budget.compaction_share = *rc::gen::inRange(0, 11) / 10.0;
  budget.throttle = *rc::gen::inRange(0, 20) / 10.0;
  budget.zone_share = *rc::gen::inRange(0, 11) / 10.0;
  return budget;
}

SCENARIO("the pruning allowance never rises when spend or forecast rises",
         "[throttle][THROTTLE-1]") {
  CHECK(rc::check("more spend or forecast at one point: no allowance from there on is larger", [] {
    const BudgetConfig budget = some_budget();
    std::vector<Past> less = some_history();
    RC_PRE(!less.empty());
    std::vector<Past> more = less;
    Past& point = more[*rc::gen::inRange<std::size_t>(0, more.size())];
    point.spend += *rc::gen::inRange<std::int64_t>(0, 300);
    point.forecast += *rc::gen::inRange<std::int64_t>(0, 300);
    const auto with_less = allowances(less, budget), with_more = allowances(more, budget);
    for (std::size_t i = 0; i < less.size(); ++i) RC_ASSERT(with_more[i] <= with_less[i]);
  }));
}

SCENARIO("nothing oscillates longer than one cycle", "[throttle][THROTTLE-1]") {
  CHECK(rc::check("from the second cycle of a constant spend on the allowance is monotone", [] {
    const BudgetConfig budget = some_budget();
    std::vector<Past> history = some_history();
    const std::size_t begin = history.size();
    const Past constant{*rc::gen::inRange<std::int64_t>(0, 400),
                        *rc::gen::inRange<std::int64_t>(0, 200), Posture::explore,
                        *rc::gen::inRange(0, 5) == 0};
    history.insert(history.end(), 14, constant);
    const auto given = allowances(history, budget);
    const auto from = given.begin() + static_cast<std::ptrdiff_t>(begin + 1);
    RC_ASSERT(std::is_sorted(from, given.end()) ||
              std::is_sorted(from, given.end(), [](Energy a, Energy b) { return a > b; }));
    for (const Energy allowance : given) {
      RC_ASSERT(allowance >= Energy{0});
      RC_ASSERT(allowance <= pruning_base(budget, 10));
    }
  }));
}

SCENARIO("a rise waits for one calm cycle", "[throttle]") {
  CHECK(rc::check("never above what either of the last two cycles would give alone", [] {
    const BudgetConfig budget = some_budget();
    const std::vector<Past> history = some_history();
    ThrottleHistory throttle;
    std::optional<Energy> before;
    for (std::size_t i = 0; i < history.size(); ++i) {
      const Past& past = history[i];
      const Energy allowance =
          next_allowance(throttle,
                         {{i + 1}, {past.spend}, {past.forecast}, past.posture, past.zone, 10},
                         budget)
              .allowance;
      RC_ASSERT(throttle.last.has_value());
      RC_ASSERT(allowance == std::min(*throttle.last, before.value_or(*throttle.last)));
      RC_ASSERT(allowance <= pruning_cap(budget, 10, past.posture, past.zone));
      before = throttle.last;
    }
  }));
}

}  // namespace
}  // namespace esper
