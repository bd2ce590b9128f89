// Restarts, breakers, ordered stop, poison: a supervisor over children that fall when told to.
#include "actors/supervisor.hpp"

#include <catch2/catch.hpp>

#include "actors/lane_books.hpp"
#include "tests/actors/context_rig.hpp"

namespace esper {

namespace {

RunConfig quick(std::uint32_t restarts_max) {
  RunConfig config;
  config.control.restarts_max = restarts_max;
  config.control.period_ms = 200;
  config.control.backoff_ms_first = 1;
  config.control.backoff_ms_max = 2;
  return config;
}

/// What the children of one test do and did.
struct Script {
  std::atomic<bool> falls{false};  ///< no start succeeds
  std::atomic<std::uint64_t> starts{0};
  std::mutex mutex;
  std::vector<std::uint32_t> ended;  ///< regions, in the order of their ends
  std::vector<std::uint64_t> turns;  ///< handled
};

using ScriptPtr = std::shared_ptr<Script>;

/// Handles turns and throws on turn `poison`.
KasminaHandle::behavior_type worker(KasminaHandle::pointer self, const ControlContextPtr& context,
                                    const ScriptPtr& script, std::uint32_t place,
                                    std::uint64_t poison) {
  keep_exception_text(self);
  self->attach_functor([script, place](const caf::error&) {
    const std::lock_guard lock(script->mutex);
    script->ended.push_back(place);
  });
  return {
      [=](const TurnRelease& turn) {
        const Delivery delivery(context->lanes.kasmina.queue());
        if (turn.turn.value == poison) throw std::runtime_error("poison");
        const std::lock_guard lock(script->mutex);
        script->turns.push_back(turn.turn.value);
      },
      [](Nudge) {},
      [](const ReadSeeds&) { return RegionSeeds{}; },
  };
}

struct Tree {
  explicit Tree(std::uint32_t restarts_max, std::uint32_t children = 1, std::uint64_t poison = 0)
      : rig(quick(restarts_max)) {
    std::vector<Child> list;
    for (std::uint32_t place = 0; place < children; ++place)
      list.push_back({Role::kasmina,
                      {place},
                      [this, place, poison](caf::local_actor& parent, Epoch) {
                        ++script->starts;
                        if (script->falls) throw std::runtime_error("told to fall");
                        return caf::actor_cast<caf::strong_actor_ptr>(
                            parent.spawn(worker, rig.context, script, place, poison));
                      },
                      StableHandle::make(rig.system),
                      place == 0 ? lane : nullptr});
    supervisor = start_supervisor(rig.system, rig.context, std::move(list), counts);
  }
  ~Tree() { stop(); }
  void stop() {
    if (!supervisor) return;
    caf::scoped_actor self{rig.system};
    self->monitor(supervisor);
    self->send_exit(supervisor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
    supervisor = nullptr;
  }
  [[nodiscard]] double breaker() const {
    return rig.metrics.value("esper_breaker_open", "kasmina");
  }

  ContextRig rig;
  // Not owned: the lane is the context's.
  std::shared_ptr<LaneQueue> lane{std::shared_ptr<LaneQueue>{},
                                  &rig.context->lanes.kasmina.queue()};
  ScriptPtr script = std::make_shared<Script>();
  std::shared_ptr<SupervisionCounts> counts = std::make_shared<SupervisionCounts>();
  SupervisorHandle supervisor;
};

}  // namespace

SCENARIO("past the intensity a role's breaker opens, is probed later and later, and closes",
         "[supervisor]") {
  Tree tree(2);
  until([&] { return tree.script->starts == 1; });
  tree.script->falls = true;
  caf::anon_send(tree.supervisor, KillRole{Role::kasmina, {0}});
  // Restarts that fail, and a first probe that does.
  until([&] { return tree.rig.metrics.value("esper_breaker_openings_total", "kasmina") >= 2; });
  CHECK(tree.breaker() == 1);
  CHECK(tree.counts->gave_up);
  CHECK_FALSE(tree.rig.executor.alive);
  CHECK_FALSE(tree.rig.context->lanes.kasmina.send(empty_release(1)));
  tree.script->falls = false;
  until([&] { return tree.breaker() == 0; });
  CHECK(tree.rig.executor.alive);
  CHECK_FALSE(tree.counts->gave_up);
  CHECK(tree.rig.context->lanes.kasmina.send(empty_release(2)));
  until([&] { return tree.rig.context->lanes.kasmina.queue().counts().waiting == 0; });
  CHECK(tree.script->turns == std::vector<std::uint64_t>{2});
}

SCENARIO(
    "a command that makes every incarnation throw is set aside, reported, and the rest goes on",
    "[supervisor][oona]") {
  Tree tree(100, 1, 5);
  const auto& lane = tree.rig.context->lanes.kasmina;
  for (std::uint64_t turn = 1; turn <= 10; ++turn) REQUIRE(lane.send(empty_release(turn)));
  until([&] { return lane.queue().counts().waiting == 0; });
  CHECK(tree.script->turns == std::vector<std::uint64_t>{1, 2, 3, 4, 6, 7, 8, 9, 10});
  CHECK(tree.counts->restarts == 3);
  CHECK(lane.queue().counts().dead == 1);
  LaneBooks(*tree.rig.context).sample(0);
  CHECK(tree.rig.metrics.value("esper_dead_letters_total", "kasmina") == 1);
  REQUIRE(tree.rig.log.details("dead_letter").size() == 1);
  CHECK(tree.rig.log.details("dead_letter")[0].find("poison") != std::string::npos);
}

SCENARIO("children are stopped in reverse order, and no lane keeps anything", "[supervisor]") {
  Tree tree(5, 4);
  until([&] { return tree.script->starts == 4; });
  tree.stop();
  CHECK(tree.script->ended == std::vector<std::uint32_t>{3, 2, 1, 0});
  CHECK(tree.rig.context->lanes.kasmina.queue().held() == 0);
}

SCENARIO("a kill while the role is down hits nobody and says so", "[supervisor]") {
  Tree tree(0);
  until([&] { return tree.script->starts == 1; });
  tree.script->falls = true;
  caf::anon_send(tree.supervisor, KillRole{Role::kasmina, {0}});
  until([&] { return tree.breaker() == 1; });
  caf::anon_send(tree.supervisor, KillRole{Role::kasmina, {0}});
  until([&] { return !tree.rig.log.details("kill_hits_nobody").empty(); });
  CHECK(tree.rig.log.details("kill_hits_nobody")[0].find("kasmina") != std::string::npos);
}

}  // namespace esper
