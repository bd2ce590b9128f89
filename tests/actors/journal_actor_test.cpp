// The journal's actor against a disk that refuses and roles that ask in vain.
#include <catch2/catch.hpp>

#include "actors/roles.hpp"
#include "tests/actors/context_rig.hpp"
#include "tests/journalled.hpp"

namespace esper {

namespace {

WindowReport window(std::uint64_t number) {
  WindowReport report{};
  report.window = {number};
  return report;
}

RegionPart part(std::uint32_t region, std::uint64_t number) {
  RegionPart made{};
  made.report.region = {region};
  made.report.window = {number};
  made.report.epoch = {1};
  return made;
}

StrategyPart strategy(std::uint64_t number) {
  StrategyPart made{};
  made.window = {number};
  return made;
}

/// The journal's actor alone; the test speaks for the roles.
struct JournalRig : ContextRig {
  explicit JournalRig(const RunConfig& config = {}) : ContextRig(config) {
    caf::scoped_actor parent{system};
    place(journal_handle, lane().queue(), start_journal(*parent, context, Epoch{1}));
  }
  [[nodiscard]] const Lane<JournalHandle>& lane() const { return context->lanes.journal; }
  void answer(std::uint64_t number) const {
    lane().send(TurnOpened{window(number)});
    for (const std::uint32_t region : {0u, 1u}) lane().send(part(region, number));
    lane().send(strategy(number));
  }
  void settle() const {
    until([&] { return lane().queue().counts().waiting == 0; });
  }
};

}  // namespace

SCENARIO("the disk's breaker: open while it refuses, probed after its backoff, closed by a commit",
         "[journal_actor]") {
  JournalRig rig;
  const auto open = [&] { return rig.metrics.value("esper_breaker_open", "journal.disk"); };
  rig.answer(1);
  until([&] { return rig.journal.last_window() == Window{1}; });
  rig.journal.refuse(true);
  rig.answer(2);
  until([&] { return open() == 1; });
  CHECK_FALSE(rig.executor.alive);  // lockstep must not wait for a turn that cannot commit
  // Probes fail and the breaker opens again.
  until([&] { return rig.metrics.value("esper_breaker_openings_total", "journal.disk") >= 3; });
  CHECK(rig.journal.last_window() == Window{1});
  rig.journal.refuse(false);
  until([&] { return open() == 0; });
  CHECK(rig.executor.alive);
  CHECK(rig.journal.last_window() == Window{2});
  // The turn that the disk takes again tells how it came to that.
  const auto changes = journalled<BreakerChange>(rig.journal.entries());
  REQUIRE(changes.size() >= 6);
  CHECK(changes.front().window == Window{2});
  CHECK(changes.front().said.state == BreakerState::open);
  CHECK(changes.front().said.cause == "the disk refused a turn");
  CHECK(changes.back().said.state == BreakerState::half_open);
}

SCENARIO(
    "FENCE-1: a journal that another process leads takes no turn again, and nobody waits for one",
    "[journal_actor][FENCE-1]") {
  JournalRig rig;
  rig.context->deposed = [] { return true; };
  rig.answer(1);
  until([&] { return rig.journal.last_window() == Window{1}; });
  rig.journal.refuse(true);
  rig.answer(2);
  until([&] { return !rig.log.details("journal_deposed").empty(); });
  CHECK(rig.metrics.value("esper_breaker_open", "journal.deposed") == 1);
  CHECK_FALSE(rig.executor.alive);
  CHECK(rig.metrics.value("esper_breaker_open", "journal.disk") == 0);
  rig.journal.refuse(false);  // it would take it: nobody asks it to any more
  rig.lane().send(TurnOpened{window(2)});
  rig.settle();
  caf::anon_send(rig.context->peers.journal, Nudge{});
  rig.answer(3);
  rig.settle();
  CHECK(rig.journal.last_window() == Window{1});
  CHECK(rig.log.details("journal_deposed").size() == 1);
  CHECK(rig.log.details("journal_disk_refused").empty());
}

SCENARIO("ANSWER-1: of one role's requests for its past only the newest waits, the others fail",
         "[journal_actor]") {
  JournalRig rig;
  // Tamiyo left in an open turn: its successor is answered when that turn has closed.
  rig.lane().send(TurnOpened{window(1)});
  rig.settle();
  caf::anon_send(rig.context->peers.journal,
                 RoleDown{.role = Role::tamiyo, .region = {}, .reason = "crash"});
  const Recover question{.role = Role::tamiyo, .region = {}, .epoch = {2}, .released = {}};
  std::atomic<int> failed{0}, answered{0};
  const auto asker = rig.system.spawn([&, question](caf::event_based_actor* self) {
    for (int i = 0; i < 5; ++i)
      self->request(rig.context->peers.journal, std::chrono::seconds{60}, question)
          .then([&](const Recovery&) { ++answered; }, [&](const caf::error&) { ++failed; });
  });
  until([&] { return failed == 4; });
  CHECK(answered == 0);
  for (const std::uint32_t region : {0u, 1u}) rig.lane().send(part(region, 1));
  until([&] { return answered == 1; });
  CHECK(failed == 4);
  CHECK(rig.journal.last_window() == Window{1});
}

SCENARIO("Kasmina hands over every committed turn once, in order, however far it is behind",
         "[kasmina]") {
  constexpr std::uint64_t missed = 200, more = 100;
  JournalRig rig;
  for (std::uint64_t turn = 1; turn <= missed; ++turn) rig.answer(turn);
  until([&] { return rig.journal.last_window() == Window{missed}; });
  rig.executor.room = 3;
  caf::scoped_actor parent{rig.system};
  rig.place(rig.kasmina_handle, rig.context->lanes.kasmina.queue(),
            start_kasmina(*parent, rig.context, Epoch{1}));
  until([&] { return rig.executor.released() == Window{3}; });
  for (std::uint64_t turn = missed + 1; turn <= missed + more; ++turn) rig.answer(turn);
  rig.executor.room = 1'000'000;
  until([&] { return rig.executor.released() == Window{missed + more}; });
  const auto taken = rig.executor.taken();
  REQUIRE(taken.size() == missed + more);
  for (std::size_t i = 0; i < taken.size(); ++i) REQUIRE(taken[i] == i + 1);
}

}  // namespace esper
