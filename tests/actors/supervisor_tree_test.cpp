// The tree's rules, one by one, under a clock that is moved by hand: who starts and stops when, who
// falls with whom, how long a restart waits, and what a handler that never ends holds up.
#include <algorithm>

#include <catch2/catch.hpp>

#include "actors/decisions/role_tree.hpp"
#include "actors/supervisor.hpp"
#include "tests/actors/context_rig.hpp"

namespace esper {

namespace {

using std::chrono::milliseconds;
using Names = std::vector<std::string>;

constexpr std::uint32_t backoff_ms_first = 100, backoff_ms_max = 400, period_ms = 10'000;

RunConfig slow_config() {
  RunConfig config;
  config.control.restarts_max = 3;
  config.control.period_ms = period_ms;
  config.control.backoff_ms_first = backoff_ms_first;
  config.control.backoff_ms_max = backoff_ms_max;
  return config;
}

struct Script {
  Names begun, ended;
  std::string deaf;  ///< hears no exit but a kill, as a handler that never ends
};

caf::behavior child(caf::event_based_actor* self, Script* script, const std::string& name) {
  script->begun.push_back(name);
  self->attach_functor([script, name](const caf::error&) { script->ended.push_back(name); });
  if (script->deaf == name) self->set_exit_handler([](const caf::exit_msg&) {});
  return {[](const Nudge&) {}};
}

/// One child of every role of the tree, two Narsets, handed over in reverse order.
class Tree {
 public:
  Tree() {
    std::vector<Child> children;
    for (const auto& place : role_tree) {
      add(children, place.role, {0});
      if (place.role == Role::narset) add(children, place.role, {1});
    }
    std::ranges::reverse(children);
    std::ranges::stable_sort(children, {}, [](const Child& one) { return one.region; });
    supervisor_ = start_supervisor(rig_.system, rig_.context, std::move(children), counts_);
    run();
  }
  ~Tree() {
    stop();
    for (const auto& actor : living_) caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  void run() { coordinator().run(); }
  void pass(std::uint64_t time_ms) {
    for (std::uint64_t i = 0; i < time_ms; ++i) {
      coordinator().advance_time(milliseconds{1});
      run();
    }
  }
  void kill(Role role, RegionId region = {}) {
    caf::anon_send(supervisor_, KillRole{role, region});
    run();
  }
  void stop() {
    if (supervisor_) caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
    run();
  }
  /// Milliseconds until somebody begins; at most `limit`.
  std::uint64_t until_one_begins(std::uint64_t limit) {
    const auto before = script.begun.size();
    std::uint64_t waited = 0;
    for (; script.begun.size() == before && waited < limit; ++waited) pass(1);
    return waited;
  }
  void let_go(const std::string& name) {
    for (std::size_t i = 0; i < living_.size(); ++i)
      if (names_[i] == name) caf::anon_send_exit(living_[i], caf::exit_reason::kill);
    run();
  }

  [[nodiscard]] const SupervisionCounts& counts() const { return *counts_; }
  [[nodiscard]] const ContextRig& rig() const { return rig_; }

  Script script;

 private:
  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(rig_.system.scheduler());
  }
  void add(std::vector<Child>& children, Role role, RegionId region) {
    const auto name = std::string{name_of(role)} +
                      (role == Role::narset ? " " + std::to_string(region.value) : "");
    children.push_back({role, region,
                        [this, name](caf::local_actor& parent, Epoch) {
                          const auto actor = parent.spawn(child, &script, name);
                          living_.push_back(actor);
                          names_.push_back(name);
                          return caf::actor_cast<caf::strong_actor_ptr>(actor);
                        },
                        StableHandle::make(rig_.system), nullptr});
  }

  ContextRig rig_{slow_config(), RigTime::by_hand};
  std::shared_ptr<SupervisionCounts> counts_ = std::make_shared<SupervisionCounts>();
  SupervisorHandle supervisor_;
  std::vector<caf::actor> living_;  ///< and dead, in the order of their starts
  Names names_;
};

const Names start_order{"journal",  "oona",   "kasmina", "urza",    "narset 0",
                        "narset 1", "tamiyo", "elesh",   "emrakul", "tolaria"};

Names reversed(Names names) {
  std::ranges::reverse(names);
  return names;
}
Names after_journal() { return {start_order.begin() + 1, start_order.end()}; }

}  // namespace

SCENARIO("the tree has a place for every role but the supervisor itself", "[supervisor][tree]") {
  for (std::size_t i = 0; i < EnumNames<Role>::values.size(); ++i) {
    const auto role = static_cast<Role>(i);
    INFO(name_of(role));
    const auto places = std::ranges::count(role_tree, role, &RolePlace::role);
    CHECK(places == (role == Role::supervisor ? 0 : 1));
  }
  CHECK_THROWS_AS(order_of(Role::supervisor), InvariantViolation);
  for (const auto& fallen : role_tree)
    for (const auto& other : role_tree)
      CHECK(falls_with(other.role, fallen.role) ==
            (fallen.role == Role::journal && other.role != Role::journal));
}

SCENARIO("children start in the tree's order, whatever the list's, and stop in reverse",
         "[supervisor][tree]") {
  Tree tree;
  CHECK(tree.script.begun == start_order);
  tree.stop();
  CHECK(tree.script.ended == reversed(start_order));
  CHECK(tree.counts().blocked.empty());
}

SCENARIO("the journal's death restarts what started after it, any other death one role",
         "[supervisor][tree]") {
  Tree tree;
  tree.script.begun.clear();
  WHEN("the journal falls") {
    tree.kill(Role::journal);
    tree.pass(1);
    auto ended = reversed(after_journal());
    ended.insert(ended.begin(), "journal");
    CHECK(tree.script.ended == ended);
    CHECK(tree.script.begun == start_order);
    CHECK(tree.counts().restarts == start_order.size());
    THEN("only its own intensity is spent") {
      for (std::uint32_t i = 0; i < 2; ++i) {
        tree.kill(Role::journal);
        tree.pass(backoff_ms_max);
      }
      CHECK(tree.script.begun.size() == 3 * start_order.size());
      CHECK_FALSE(tree.counts().gave_up);
      tree.script.begun.clear();
      tree.kill(Role::tamiyo);
      CHECK(tree.until_one_begins(10) <= 1);
      CHECK(tree.script.begun == Names{"tamiyo"});
    }
  }
  WHEN("another falls") {
    const auto role = GENERATE(Role::oona, Role::kasmina, Role::urza, Role::narset, Role::tamiyo,
                               Role::elesh, Role::emrakul, Role::tolaria);
    const auto name = std::string{name_of(role)} + (role == Role::narset ? " 1" : "");
    tree.kill(role, RegionId{role == Role::narset ? 1U : 0U});
    tree.pass(1);
    CHECK(tree.script.ended == Names{name});
    CHECK(tree.script.begun == Names{name});
  }
}

SCENARIO(
    "the first restart in a period is immediate, later ones wait for a doubling backoff with "
    "jitter, a quiet period resets it, and past the intensity the breaker opens",
    "[supervisor][tree]") {
  Tree tree;
  const auto fall = [&] {
    tree.kill(Role::urza);
    return tree.until_one_begins(100'000);
  };
  CHECK(fall() <= 1);
  std::vector<std::uint64_t> waits{fall(), fall()};
  CHECK(waits[0] >= backoff_ms_first / 2);
  CHECK(waits[0] <= backoff_ms_first);
  CHECK(waits[1] >= backoff_ms_first);
  CHECK(waits[1] <= 2 * backoff_ms_first);
  WHEN("it is quiet for a period") {
    tree.pass(period_ms);
    THEN("a fall counts as the first again") { CHECK(fall() <= 1); }
  }
  WHEN("it falls once more within the period") {
    const auto probe = fall();
    THEN("its parent is told, and it is probed after the breaker's backoff, then later") {
      CHECK(probe == backoff_ms_max);
      CHECK(tree.counts().gave_up);
      CHECK(tree.rig().metrics.value("esper_breaker_open", "urza") == 1);
      CHECK_FALSE(tree.rig().executor.alive);
      CHECK(fall() == 2 * backoff_ms_max);
      tree.pass(period_ms);
      CHECK_FALSE(tree.counts().gave_up);
      CHECK(tree.rig().metrics.value("esper_breaker_open", "urza") == 0);
      CHECK(tree.rig().executor.alive);
    }
  }
}

SCENARIO("an ordered stop does not wait for ever: who blocks it is named, and the rest stops",
         "[supervisor][tree]") {
  Tree tree;
  tree.script.deaf = "narset 1";
  tree.kill(Role::narset, {1});  // its successor is deaf
  tree.pass(1);
  tree.script.ended.clear();
  tree.stop();
  const auto deadline_ms = place_of(Role::narset).stop_ms_max;
  CHECK(tree.script.ended == Names{"tolaria", "emrakul", "elesh", "tamiyo"});
  tree.pass(deadline_ms - 1);
  CHECK(tree.script.ended.size() == 4);
  tree.pass(2);
  CHECK(tree.script.ended == Names{"tolaria", "emrakul", "elesh", "tamiyo", "narset 0", "urza",
                                   "kasmina", "oona", "journal"});
  CHECK(tree.counts().blocked == Names{"narset 1"});
  const auto told = tree.rig().log.details("stop_blocked");
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("narset") != std::string::npos);
}

SCENARIO("who blocks the stop before the journal's restart is left out, and follows when it ends",
         "[supervisor][tree]") {
  Tree tree;
  tree.script.deaf = "elesh";
  tree.kill(Role::elesh);
  tree.pass(1);
  tree.script.deaf.clear();
  tree.script.begun.clear();
  tree.kill(Role::journal);
  tree.pass(place_of(Role::elesh).stop_ms_max + 1);
  auto others = start_order;
  std::erase(others, "elesh");
  CHECK(tree.script.begun == others);
  CHECK(tree.rig().log.details("stop_blocked").size() == 1);
  CHECK(tree.counts().blocked.empty());
  tree.let_go("elesh");
  tree.pass(1);
  CHECK(tree.script.begun.back() == "elesh");
  CHECK(tree.script.begun.size() == start_order.size());
}

}  // namespace esper
