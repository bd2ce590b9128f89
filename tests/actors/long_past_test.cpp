// A Narset's past that is longer than one answer.
#include <catch2/catch.hpp>

#include "actors/roles.hpp"
#include "actors/turn_history.hpp"
#include "tests/actors/context_rig.hpp"
#include "tests/actors/control_plane_rig.hpp"
#include "tests/journalled.hpp"

namespace esper {

namespace {

constexpr std::uint64_t page = 2'000;

/// One window in which region 1 was told something; with a gap behind every seventh.
std::vector<JournalEntry> told_windows(std::uint64_t count) {
  std::vector<JournalEntry> entries;
  const auto add = [&](Window window, const auto& message, Role role, RegionId region) {
    entries.push_back({.sequence = entries.size() + 1,
                       .window = window,
                       .role = role,
                       .region = region,
                       .ordinal = 0,
                       .kind = std::string{std::decay_t<decltype(message)>::schema.name},
                       .cause = 0,
                       .payload = canonical(message),
                       .measured = ""});
  };
  for (std::uint64_t number = 1; number <= count; ++number) {
    if (number % 7 == 0) continue;
    WindowSummary summary{};
    summary.window = {number};
    add({number}, summary, Role::tolaria, {});
    RegionTelemetry seen{};
    seen.region = {1};
    seen.window = {number};
    add({number}, seen, Role::tolaria, {1});
    StrategyPart strategy{};
    strategy.window = {number};
    strategy.answers.resize(2);
    strategy.answers[1].region = {1};
    strategy.answers[1].expired = {number};
    add({number}, strategy, Role::tamiyo, {});
  }
  return entries;
}

/// What the journal's actor answers, page by page, to whoever asks on from the last turn it knows.
struct Told {
  std::vector<std::size_t> pages;  ///< turns in each
  std::vector<TurnRecord> turns;
};

Told told(ContextRig& rig) {
  Told all;
  caf::scoped_actor self{rig.system};
  for (bool more = true; more;) {
    Recover asked{.role = Role::narset, .region = {1}, .epoch = {2}, .released = {}};
    if (!all.turns.empty()) asked.known = all.turns.back().window;
    self->request(rig.context->peers.journal, patience, asked)
        .receive(
            [&](const Recovery& answer) {
              more = answer.more;
              all.pages.push_back(answer.turns.size());
              all.turns.insert(all.turns.end(), answer.turns.begin(), answer.turns.end());
            },
            [&](const caf::error&) { more = false; });
  }
  return all;
}

std::string text_of(const std::vector<TurnRecord>& turns) {
  std::string text;
  for (const auto& turn : turns) text += canonical(turn) + "\n";
  return text;
}

}  // namespace

SCENARIO("a long past is told in pages, and is the whole past", "[journal_actor][recovery]") {
  // Three pages; and the second one is empty but for its last windows.
  const auto holes = GENERATE(false, true);
  auto entries = told_windows(2 * page + 500);
  if (holes)
    std::erase_if(entries, [](const JournalEntry& entry) {
      return entry.window.value > 10 && entry.window.value < 2 * page + 100;
    });
  std::uint64_t sequence = 0;
  for (auto& entry : entries) entry.sequence = ++sequence;
  ContextRig rig;
  REQUIRE(rig.journal.append(entries));
  caf::scoped_actor parent{rig.system};
  rig.place(rig.journal_handle, rig.context->lanes.journal.queue(),
            start_journal(*parent, rig.context, Epoch{1}));
  const auto all = told(rig);
  CHECK(all.pages.size() == 3);
  for (std::size_t i = 0; i < all.pages.size(); ++i) {
    CHECK(all.pages[i] <= page);
    CHECK((all.pages[i] > 0 || i + 1 == all.pages.size()));  // whoever asks must get on
  }
  CHECK(text_of(all.turns) == text_of(narset_records(entries, RegionId{1})));
}

SCENARIO("a Narset whose past is longer than a page comes back as the one that died",
         "[control_plane][recovery]") {
  constexpr std::uint64_t killed_after = page + 30, windows = killed_after + 10;
  const auto entries_of_run = [](bool killed) {
    Rig rig;
    ControlPlane plane(rig.config, rig.host, rig.seams());
    while (rig.trainer.closed().value < killed_after) REQUIRE(rig.trainer.close_window(patience));
    REQUIRE(plane.finish(Window{killed_after}, patience));
    if (killed) {
      plane.kill(Role::narset, RegionId{1});
      until([&] { return rig.trainer.fence_of(RegionId{1}).value > 1; });
    }
    while (rig.trainer.closed().value < windows) REQUIRE(rig.trainer.close_window(patience));
    REQUIRE(plane.finish(Window{windows}, patience));
    CHECK(plane.stop().restarts == (killed ? 1 : 0));
    return rig.journal.entries();
  };
  const auto reports = [](const std::vector<JournalEntry>& entries) {
    std::string text;
    for (const auto& report : journalled<RegionReport>(entries))
      if (report.window.value > killed_after && report.region == RegionId{1}) {
        auto said = report.said;
        said.epoch = {};
        text += canonical(said) + "\n";
      }
    return text;
  };
  CHECK(reports(entries_of_run(true)) == reports(entries_of_run(false)));
}

}  // namespace esper
