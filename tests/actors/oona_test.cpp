// Dead letters reach Oona, and lanes whose receivers are too slow show as breakers.
#include <catch2/catch.hpp>

#include "actors/lane_books.hpp"
#include "actors/roles.hpp"
#include "tests/actors/context_rig.hpp"

namespace esper {

namespace {

caf::strong_actor_ptr start(ContextRig& rig) {
  caf::scoped_actor parent{rig.system};
  return start_oona(*parent, rig.context, Epoch{1});
}

}  // namespace

SCENARIO("what no lane can deliver reaches Oona: counted, logged, once", "[oona]") {
  ContextRig rig;
  const auto& lane = rig.context->lanes.kasmina;
  for (std::uint64_t i = 1; i <= 3; ++i) REQUIRE(lane.send(empty_release(i)));
  lane.queue().close();
  CHECK_FALSE(lane.send(empty_release(4)));
  GIVEN("Oona, which dies and is started again") {
    const auto told = [&] { return rig.metrics.value("esper_dead_letters_total", "kasmina"); };
    for (const double expected : {4, 5}) {
      const auto oona = start(rig);
      until([&] { return told() >= expected; });
      CHECK(told() == expected);
      caf::scoped_actor self{rig.system};
      self->monitor(caf::actor_cast<caf::actor>(oona));
      caf::anon_send_exit(caf::actor_cast<caf::actor>(oona), caf::exit_reason::kill);
      self->receive([](const caf::down_msg&) {});
      CHECK_FALSE(lane.send(empty_release(5)));  // while Oona is down
    }
    CHECK(rig.log.details("dead_letter").size() == 2);
    CHECK(rig.metrics.value("esper_lane_sent_messages", "kasmina") == 5);
    CHECK(rig.metrics.value("esper_lane_dead_messages", "kasmina") == 5);
  }
}

SCENARIO("what is sent to a peer that is down is counted and logged, and a request is refused",
         "[oona]") {
  ContextRig rig;
  caf::scoped_actor self{rig.system};
  const auto& journal = rig.context->peers.journal;
  for (int i = 0; i < 3; ++i) self->send(journal, RoleDown{});
  std::optional<caf::error> refused;
  self->request(journal, std::chrono::seconds{20}, Recover{})
      .receive([](const Recovery&) {}, [&](const caf::error& error) { refused = error; });
  CHECK(refused == caf::error{caf::sec::request_receiver_down});
  report_peers(*rig.context);
  report_peers(*rig.context);
  CHECK(rig.metrics.value("esper_dead_letters_total", "journal.direct") == 4);
  CHECK(rig.log.details("dead_letter").size() == 1);
}

SCENARIO("a receiver that leaves its backlog full opens its lane's breaker until it takes again",
         "[oona]") {
  RunConfig config;
  config.control.credit = 2;
  config.control.backlog_max = 3;
  config.control.backoff_ms_first = 10;
  config.control.backoff_ms_max = 1'000;
  ContextRig rig(config);
  LaneBooks books(*rig.context);
  const auto& lane = rig.context->lanes.kasmina;
  const auto open = [&] { return rig.metrics.value("esper_breaker_open", "lane.kasmina"); };
  for (std::uint64_t i = 1; i <= 3; ++i) REQUIRE(lane.send(empty_release(i)));
  books.sample(100);
  CHECK(open() == 0);
  CHECK_FALSE(lane.send(empty_release(4)));
  books.sample(200);
  CHECK(open() == 1);
  CHECK(rig.executor.alive);  // turns go on
  WHEN("it stays too slow") {
    CHECK_FALSE(lane.send(empty_release(5)));
    books.sample(210);  // the probe's time has come, and it fails: twice as long from here
    CHECK(rig.metrics.value("esper_breaker_openings_total", "lane.kasmina") == 2);
    books.sample(229);
    CHECK(open() == 1);
    books.sample(230);
    CHECK(open() == 0);
  }
  WHEN("nothing is refused any more") {
    books.sample(209);
    CHECK(open() == 1);
    books.sample(210);
    CHECK(open() == 0);
  }
}

}  // namespace esper
