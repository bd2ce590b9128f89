// When a turn is complete, and who may still join it.
#include "actors/turn_book.hpp"

#include "actors/turn_history.hpp"

#include <catch2/catch.hpp>

namespace esper {

namespace {

WindowReport window(std::uint64_t number) {
  WindowReport report{};
  report.window = {number};
  for (std::uint32_t region = 0; region < 2; ++region) {
    report.regions.emplace_back();
    report.regions.back().region = {region};
    report.regions.back().window = report.window;
  }
  return report;
}

RegionPart part(std::uint32_t region, std::uint64_t number) {
  RegionPart made{};
  made.report.region = {region};
  made.report.window = {number};
  made.report.epoch = {1};
  AdaptationCommand command{};
  command.id = {{region}, {1}, number};
  made.commands.push_back(command);
  return made;
}

StrategyPart strategy(std::uint64_t number) {
  StrategyPart made{};
  made.window = {number};
  return made;
}

}  // namespace

SCENARIO("a turn is complete when every present role has answered", "[turn_book]") {
  TurnBook book(2, {}, false);
  book.open(window(1));
  book.add(part(1, 1));
  CHECK_FALSE(book.reports());
  book.add(strategy(1));  // before the reports are in: not an answer to them
  book.add(part(0, 1));
  REQUIRE(book.reports());
  CHECK(book.reports()->reports.front().region == RegionId{0});
  CHECK_FALSE(book.complete());
  book.add(strategy(2));
  CHECK_FALSE(book.complete());
  book.add(strategy(1));
  CHECK(book.complete());
}

SCENARIO("a role that leaves closes its place once, as absent", "[turn_book]") {
  TurnBook book(2, {}, false);
  book.open(window(1));
  book.add(part(0, 1));
  book.leave(Role::narset, {1}, "crash");
  book.leave(Role::narset, {1}, "crash");
  book.leave(Role::tamiyo, {}, "crash");
  REQUIRE(book.complete());
  CHECK(book.turn().absences.size() == 2);
  CHECK_FALSE(book.can_join(Role::narset, {1}));
  book.add(part(1, 1));
  CHECK(book.turn().parts.size() == 1);
  book.close();
  CHECK(book.can_join(Role::narset, {1}));
  book.join(Role::narset, {1});
  book.open(window(2));
  CHECK(book.can_join(Role::narset, {1}));
  book.add(part(1, 2));
  CHECK_FALSE(book.can_join(Role::narset, {1}));  // it died after answering: next turn
}

SCENARIO("entries come sorted, numbered without gaps, each with its cause", "[turn_entries]") {
  TurnBook book(2, {}, false);
  CommandEntries commands;
  book.open(window(1));
  book.add(part(1, 1));
  book.add(part(0, 1));
  book.add(strategy(1));
  REQUIRE(book.complete());
  const auto entries = entries_of(book.turn(), 10, commands);
  std::uint64_t expected = 10;
  for (const auto& entry : entries) {
    CHECK(entry.sequence == expected++);
    CHECK(entry.cause < entry.sequence);
  }
  for (std::size_t i = 1; i < entries.size(); ++i) CHECK(entries[i - 1].role <= entries[i].role);
  REQUIRE(commands.size() == 2);

  WHEN("the next turn brings a command's outcome") {
    auto next = window(2);
    Outcome outcome{};
    outcome.command = {{1}, {1}, 1};
    outcome.region = {1};
    next.outcomes.push_back(outcome);
    const auto cause = commands.at(outcome.command);
    book.close();
    book.open(next);
    const auto later = entries_of(book.turn(), 100, commands);
    for (const auto& entry : later)
      if (entry.kind == "Outcome") CHECK(entry.cause == cause);
    CHECK(commands.size() == 1);
    auto all = entries;
    all.insert(all.end(), later.begin(), later.end());
    const auto records = narset_records(all, {1});
    REQUIRE(records.size() == 2);
    CHECK(records[0].present);
    CHECK_FALSE(records[1].present);
    CHECK(records[1].input.value().outcomes.size() == 1);
    const auto releases =
        release_records(all, [](std::uint64_t sequence) { return std::to_string(sequence); });
    CHECK(releases.front().commands.size() == 2);
    for (const auto& release : releases)
      CHECK(release.journal_head == std::to_string(release.journal_sequence));
  }
}

}  // namespace esper
