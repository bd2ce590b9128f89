// Needs no LibTorch: built under ThreadSanitizer too.
#include "gpu/turn_exchange.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

#include "actors/decisions/random.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t windows = 10'000;
constexpr std::uint32_t steps = 7;

Outcome numbered(std::uint64_t number) {
  Outcome outcome{};
  outcome.command.sequence = number;
  outcome.detail = "long enough to live on the heap, not in the string itself";
  return outcome;
}

/// Without a command.
TurnRelease turn_of(Window window) {
  TurnRelease turn;
  turn.turn = window;
  return turn;
}

void draft_window(TurnExchange& exchange, std::uint64_t window) {
  auto& draft = exchange.draft();
  draft.window = {window};
  draft.operations.training = 1;
  for (std::uint32_t region = 0; region < 2; ++region) {
    draft.regions[region].region = {region};
    draft.regions[region].window = {window};
    draft.regions[region].steps_covered = steps;
  }
  draft.outcomes.push_back(numbered(window));
}

void publish_window(TurnExchange& exchange, std::uint64_t window) {
  draft_window(exchange, window);
  exchange.publish();
}

}  // namespace

SCENARIO("windows and turns cross in order, none lost, none doubled", "[exchange][threads]") {
  const auto seed = test_seed();
  TurnExchange exchange(2);
  std::atomic<bool> done{false};
  std::vector<std::uint64_t> turns_seen;
  std::uint64_t turns_given = 0;
  std::thread trainer([&] {
    TurnRelease turn;
    RandomStream pauses(seed, "trainer", 0);
    for (std::uint64_t window = 1; window <= windows; ++window) {
      publish_window(exchange, window);
      if (pauses.uniform() < 0.02) std::this_thread::sleep_for(100us);
      while (exchange.poll(turn, {1'000'000})) turns_seen.push_back(turn.turn.value);
    }
    done = true;
  });
  std::vector<std::uint64_t> outcomes;
  std::uint64_t covered = 0, operations = 0, last = 0;
  bool ascending = true;
  RandomStream pauses(seed, "reader", 0);
  while (true) {
    const bool was_done = done;
    WindowReport report, again;
    if (!exchange.next_window(report, 20ms)) {
      if (was_done) break;
      continue;
    }
    if (pauses.uniform() < 0.1) {  // a reader dies and the next one looks again
      REQUIRE(exchange.next_window(again, 0ms));
      REQUIRE(again.window == report.window);
      REQUIRE(again.outcomes.size() == report.outcomes.size());
    }
    if (pauses.uniform() < 0.02) std::this_thread::sleep_for(200us);
    ascending = ascending && report.window.value > last;
    last = report.window.value;
    for (const auto& outcome : report.outcomes) outcomes.push_back(outcome.command.sequence);
    covered += report.regions[1].steps_covered + report.regions[1].steps_missing;
    operations += report.operations.training;
    exchange.finish_window(report.window);
    if (exchange.release(turn_of(report.window))) ++turns_given;
  }
  trainer.join();
  TurnRelease turn;
  while (exchange.poll(turn, {1'000'000})) turns_seen.push_back(turn.turn.value);
  CHECK(ascending);
  CHECK(last == windows);
  CHECK(covered == windows * steps);
  CHECK(operations == windows);
  REQUIRE(outcomes.size() == windows);
  CHECK(std::is_sorted(outcomes.begin(), outcomes.end()));
  CHECK(std::adjacent_find(outcomes.begin(), outcomes.end()) == outcomes.end());
  CHECK(turns_seen.size() == turns_given);
  CHECK(std::is_sorted(turns_seen.begin(), turns_seen.end()));
}

SCENARIO("with nobody reading, the newest window stays and no outcome is lost", "[exchange]") {
  TurnExchange exchange(2);
  for (std::uint64_t window = 1; window <= 100; ++window) publish_window(exchange, window);
  WindowReport report;
  std::size_t outcomes = 0, shown = 0;
  std::uint64_t last = 0, covered = 0;
  while (exchange.next_window(report, 0ms)) {
    ++shown;
    outcomes += report.outcomes.size();
    covered += report.regions[0].steps_covered + report.regions[0].steps_missing;
    last = report.window.value;
    exchange.finish_window(report.window);
  }
  CHECK(shown == TurnExchange::windows_unread_max);
  CHECK(last == 100);
  CHECK(outcomes == 100);
  CHECK(covered == 100 * steps);
}

SCENARIO("a window that is held is read when it is settled, and never when it is withdrawn",
         "[exchange]") {
  const auto full = GENERATE(false, true);  // no free cell: it would be told with the newest unread
  TurnExchange exchange(2);
  const std::uint64_t first = full ? TurnExchange::windows_unread_max + 1 : 1;
  for (std::uint64_t window = 1; window < first; ++window) publish_window(exchange, window);
  draft_window(exchange, first);
  exchange.hold();
  exchange.draft().outcomes.push_back(numbered(first + 1));  // of the window under way
  const auto outcomes = [&] {
    std::size_t count = 0;
    WindowReport report;
    while (exchange.next_window(report, 0ms)) {
      count += report.outcomes.size();
      exchange.finish_window(report.window);
    }
    return count;
  };
  THEN("a checkpoint has it behind what is told, and in front of the window under way") {
    const auto reports = exchange.memory({}).reports;
    REQUIRE(reports.size() == first + 1);
    CHECK(reports[first - 1].window.value == first);
    CHECK(reports[first].outcomes.size() == 1);
  }
  WHEN("it is settled") {
    exchange.settle();
    exchange.settle();
    CHECK(outcomes() == first);
    CHECK(exchange.draft().outcomes.size() == 1);
  }
  WHEN("it is not yet") { CHECK(outcomes() == first - 1); }
  WHEN("it is withdrawn") {
    CHECK(exchange.withdraw());
    exchange.settle();
    CHECK(outcomes() == first - 1);
    CHECK_FALSE(exchange.withdraw());
  }
}

SCENARIO("waiting ends by a turn, by the breaker, by stop and by patience", "[exchange][threads]") {
  TurnExchange exchange(1);
  std::atomic<bool> stop{false};
  CHECK_FALSE(exchange.await_turn({1}, 1ms, nullptr));
  std::thread control([&] { (void)exchange.release(turn_of({1})); });
  CHECK(exchange.await_turn({1}, 60s, nullptr));
  control.join();
  control = std::thread([&] { exchange.set_control_alive(false); });
  CHECK_FALSE(exchange.await_turn({2}, 600s, nullptr));
  control.join();
  exchange.set_control_alive(true);
  control = std::thread([&] { stop = true; });
  CHECK_FALSE(exchange.await_turn({2}, 600s, &stop));
  control.join();
}

SCENARIO("a repeated turn is ignored and a full ring says so", "[exchange]") {
  TurnExchange exchange(1);
  for (std::uint64_t turn = 1; turn <= TurnExchange::turns_waiting_max; ++turn)
    CHECK(exchange.release(turn_of({turn})));
  CHECK(exchange.release(turn_of({3})));
  CHECK_FALSE(exchange.release(turn_of({100})));
  CHECK(exchange.released() == Window{TurnExchange::turns_waiting_max});
  TurnRelease turn;
  for (std::uint64_t expected = 1; exchange.poll(turn, {1'000'000}); ++expected)
    CHECK(turn.turn.value == expected);
  CHECK(exchange.release(turn_of({100})));
}

SCENARIO("a fence only rises", "[exchange][FENCE-1]") {
  TurnExchange exchange(2);
  exchange.fence({1}, {5});
  exchange.fence({1}, {3});
  CHECK(exchange.fence_of({1}) == Epoch{5});
  CHECK(exchange.fence_of({0}) == Epoch{0});
}

SCENARIO("wake ends a wait without a window", "[exchange][threads]") {
  TurnExchange exchange(1);
  std::thread waker([&] { exchange.wake(); });
  WindowReport report;
  CHECK_FALSE(exchange.next_window(report, 600s));
  waker.join();
}
