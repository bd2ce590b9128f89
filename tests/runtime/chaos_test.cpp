// Chaos without a run: what may befall a living one, what a desk does at each seam, and a conductor
// that heals by itself.
#include <thread>

#include <catch2/catch.hpp>

#include "runtime/chaos/chaos_conductor.hpp"
#include "runtime/control/control_protocol.hpp"
#include "tests/actors/memory_journal.hpp"

namespace esper {
namespace {

using std::chrono::milliseconds;
using Clock = ChaosDesk::Clock;

const LiveShape shape{
    {"journal", "oona", "kasmina", "urza", "narset.0", "narset.1", "narset.2", "tamiyo", "tolaria"},
    3,
    2};

InjectedFault numbered(std::uint64_t number, Fault fault) {
  return {number, std::move(fault), "r", "somebody"};
}

Clock::time_point in(milliseconds time) { return Clock::now() + time; }

/// A tree that is hit by everything, and remembers it.
struct Tree {
  ChaosReach reach() {
    ChaosReach reach;
    reach.kill = [this](Role role, RegionId region, std::uint32_t others_down_max) {
      const std::lock_guard lock(mutex);
      killed.emplace_back(role, region);
      return KillAnswer{others_down <= others_down_max, others_down > others_down_max, others_down};
    };
    reach.executor = &executor;
    reach.shape = shape;
    reach.host.regions.resize(3);
    reach.log = &log;
    return reach;
  }
  struct Hands final : Executor {
    bool next_window(WindowReport&, milliseconds) override { return false; }
    void finish_window(Window) override {}
    void wake() override {}
    bool release(const TurnRelease&) override { return ++releases > 0; }
    Window released() const override { return {}; }
    void catch_up(Window) override {}
    void fence(RegionId, Epoch) override {}
    std::vector<SeedStatus> seeds() const override { return {}; }
    std::optional<ImportanceReport> measure_importance(std::uint64_t) override { return {}; }
    void set_control_alive(bool) override {}
    void poison(std::optional<RegionId> region) override { asked = region.has_value(); }
    std::uint64_t poisoned() const override { return done; }
    std::uint64_t releases{};
    std::atomic<bool> asked{false};
    std::atomic<std::uint64_t> done{0};
  } executor;
  SilentLog log;
  std::mutex mutex;
  std::vector<std::pair<Role, RegionId>> killed;
  std::atomic<std::uint32_t> others_down{0};
};

ChaosOrder order(std::vector<Fault> faults) {
  ChaosOrder asked;
  asked.rehearsal = "r";
  asked.faults = std::move(faults);
  asked.blast = 1;
  asked.who = "somebody";
  return asked;
}

ChaosAccount ended(const ChaosConductor& conductor) {
  for (int i = 0; i < 10'000; ++i) {
    const auto account = conductor.account();
    if (account && !account->ended.empty()) return *account;
    std::this_thread::sleep_for(milliseconds{2});
  }
  FAIL("it never ended");
  return {};
}

std::string sentence(const Result<ChaosAccount, ChaosRefusal>& answer) {
  REQUIRE_FALSE(answer);
  return answer.refusal().sentence;
}

}  // namespace

SCENARIO("what cannot befall a living run has a reason, what can has none", "[chaos]") {
  for (const auto kind :
       {FaultKind::clock_jump, FaultKind::kasmina_lies, FaultKind::disk_torn, FaultKind::shake,
        FaultKind::melt, FaultKind::blow_up, FaultKind::node_lost, FaultKind::link_slow})
    CHECK_FALSE(impossible_live(kind).empty());
  CHECK(impossible_live({FaultKind::kill, "tamiyo", 1, 0, 0}, shape).empty());
  CHECK(impossible_live({FaultKind::pause, "narset.2", 1, 0, 5}, shape).empty());
  CHECK(impossible_live({FaultKind::poison_weights, "region.2", 1, 0, 0}, shape).empty());
  CHECK(impossible_live({FaultKind::disk_full, "", 1, 0, 5}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::kill, "narset.3", 1, 0, 0}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::kill, "elesh", 1, 0, 0}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::freeze, "region.3", 1, 0, 5}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::freeze, "region.x", 1, 0, 5}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::disk_full, "", 1, 0, 0}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::disk_full, "tamiyo", 1, 0, 5}, shape).empty());
  CHECK_FALSE(impossible_live({FaultKind::kill, "tamiyo", 100'000'000, 0, 0}, shape).empty());
}

SCENARIO("the blast counts roles and faults at once, and what falls with the journal", "[chaos]") {
  const auto widest = [](const std::vector<Fault>& faults) {
    return blast_of(faults, shape).widest;
  };
  CHECK(widest({{FaultKind::kill, "tamiyo", 0, 0, 0}}) == 1);
  CHECK(widest({{FaultKind::kill, "journal", 0, 0, 0}}) == 9);
  CHECK(widest({{FaultKind::kill, "oona", 0, 0, 0}}) == 1);
  CHECK(widest({{FaultKind::disk_crash_after, "", 0, 0, 0}}) == 9);
  CHECK(widest({{FaultKind::kill_all, "", 0, 0, 0}}) == 9);
  // The same role again is no wider; another one a moment later is.
  CHECK(widest({{FaultKind::kill, "tamiyo", 0, 0, 0}, {FaultKind::kill, "tamiyo", 5, 0, 0}}) == 1);
  CHECK(widest({{FaultKind::kill, "tamiyo", 0, 0, 0}, {FaultKind::kill, "urza", 5, 0, 0}}) == 2);
  CHECK(widest({{FaultKind::kill, "tamiyo", 0, 0, 0}, {FaultKind::kill, "urza", 2'000, 0, 0}}) ==
        1);
  CHECK(widest({{FaultKind::disk_full, "", 0, 0, 100},
                {FaultKind::pause, "tamiyo", 50, 0, 100},
                {FaultKind::telemetry_nan, "region.0", 60, 0, 5}}) == 3);
  CHECK(threads_held({{FaultKind::pause, "tamiyo", 0, 0, 100},
                      {FaultKind::pause, "tolaria", 0, 0, 100},
                      {FaultKind::pause, "urza", 200, 0, 100}}) == 1);
  CHECK(threads_held({{FaultKind::pause, "tamiyo", 0, 0, 100},
                      {FaultKind::pause, "urza", 50, 0, 100}}) == 2);
}

SCENARIO("a desk holds a paused role until it is lifted, and nobody else", "[chaos]") {
  ChaosDesk desk;
  const auto pause = numbered(1, {FaultKind::pause, "narset.1", 0, 0, 60'000});
  desk.hold(pause, in(milliseconds{60'000}));
  desk.handles(Role::narset, RegionId{0});
  desk.handles(Role::tamiyo, {});
  CHECK_FALSE(desk.has_struck(1));
  std::atomic<bool> handled{false};
  std::thread handler([&] {
    desk.handles(Role::narset, RegionId{1});
    handled = true;
  });
  while (!desk.has_struck(1)) std::this_thread::yield();
  CHECK_FALSE(handled);
  SECTION("by healing") { desk.lift_all(); }
  SECTION("by its own end") { desk.lift(1); }
  SECTION("because the role is to die") { desk.lift_pauses(Role::narset, RegionId{1}); }
  handler.join();
  CHECK(handled);
  CHECK(desk.handled() == 3);
  CHECK(desk.due(Window{7}).size() == 1);
  CHECK(desk.due(Window{7}).size() == 1);  // the same turn, opened again
  CHECK(desk.due(Window{8}).empty());
}

SCENARIO("each seam meets what is held for it, and what is spent but once", "[chaos]") {
  ChaosDesk desk;
  MemoryJournal disk;
  ChaosJournal journal(disk, desk);
  Tree tree;
  ChaosExecutor executor(tree.executor, desk);
  const auto entries = [&] {
    JournalEntry entry;
    entry.sequence = disk.next_sequence();
    return std::vector<JournalEntry>{entry};
  };
  const auto hold = [&](std::uint64_t number, FaultKind kind) {
    desk.hold(numbered(number, {kind, "", 0, 0, 1}), in(milliseconds{60'000}));
  };
  CHECK(journal.append(entries()));
  hold(1, FaultKind::disk_full);
  CHECK_FALSE(journal.append(entries()));
  CHECK_FALSE(journal.append(entries()));
  CHECK(journal.next_sequence() == 2);
  desk.lift(1);
  hold(2, FaultKind::disk_crash_before);
  CHECK_THROWS_AS(journal.append(entries()), std::runtime_error);
  CHECK(journal.next_sequence() == 2);
  hold(3, FaultKind::disk_crash_after);
  CHECK_THROWS_AS(journal.append(entries()), std::runtime_error);
  CHECK(journal.next_sequence() == 3);
  CHECK(journal.append(entries()));  // both are over
  hold(4, FaultKind::disk_slow);
  CHECK(journal.append(entries()));
  CHECK_FALSE(desk.holds(4));

  CHECK(executor.release({}));
  CHECK(tree.executor.releases == 1);
  hold(5, FaultKind::turn_twice);
  CHECK(executor.release({}));
  CHECK(executor.release({}));
  CHECK(tree.executor.releases == 4);
  hold(6, FaultKind::kasmina_silent);
  CHECK_FALSE(executor.release({}));
  CHECK(tree.executor.releases == 4);
  // What is held no longer than until now holds nothing.
  desk.lift_all();
  desk.hold(numbered(7, {FaultKind::disk_full, "", 0, 0, 1}), Clock::now() - milliseconds{1});
  CHECK(journal.append(entries()));
  CHECK_FALSE(desk.has_struck(7));
  CHECK(desk.due(Window{1}).size() == 6);
}

SCENARIO("spoiled telemetry is told the same again, and only its region's", "[chaos]") {
  ChaosDesk desk;
  const auto report = [](std::uint64_t window, double loss) {
    WindowReport told;
    told.window = {window};
    for (std::uint32_t region = 0; region < 2; ++region) {
      told.regions.emplace_back().region = {region};
      told.regions.back().loss_mean = loss;
    }
    return told;
  };
  auto first = report(1, 1.0), second = report(2, 2.0), third = report(3, 3.0);
  desk.spoil(first);
  CHECK(first.regions[1].loss_mean == 1.0);
  desk.hold(numbered(1, {FaultKind::telemetry_stale, "region.1", 0, 0, 60'000}),
            in(milliseconds{60'000}));
  desk.spoil(second);
  CHECK(second.regions[0].loss_mean == 2.0);
  CHECK(second.regions[1].loss_mean == 1.0);
  CHECK(desk.has_struck(1));
  desk.lift_all();
  auto again = report(2, 2.0);
  desk.spoil(again);
  CHECK(again.regions[1].loss_mean == 1.0);
  desk.spoil(third);
  CHECK(third.regions[1].loss_mean == 3.0);
}

SCENARIO("a conductor refuses what may not be, and says why", "[chaos]") {
  OverrideDesk overrides;
  Tree tree;
  ChaosConductor conductor(overrides);
  const Fault kill{FaultKind::kill, "tamiyo", 0, 0, 0};
  CHECK_FALSE(conductor.account());
  const auto early = conductor.begin(order({kill}));
  REQUIRE_FALSE(early);
  CHECK(early.refusal().busy);
  conductor.attach(tree.reach());

  auto asked = order({kill, {FaultKind::melt, "region.0", 0, 0, 5}});
  CHECK(sentence(conductor.begin(asked)).find("training.disturbances") != std::string::npos);
  CHECK(sentence(conductor.begin(order({{FaultKind::kill_all, "", 0, 0, 0}}))).find("--blast 9") !=
        std::string::npos);
  auto late = order({{FaultKind::kill, "tamiyo", 5'000, 0, 0}});
  late.duration_ms = 5'000;
  CHECK(sentence(conductor.begin(late)).find("longer duration") != std::string::npos);
  auto hung = order({{FaultKind::pause, "tamiyo", 0, 0, 9}, {FaultKind::pause, "urza", 0, 0, 9}});
  hung.blast = 9;
  CHECK(sentence(conductor.begin(hung)).find("control.threads") != std::string::npos);
  auto nothing = order({{FaultKind::melt, "region.0", 0, 0, 5}});
  nothing.skip_impossible = true;
  CHECK(sentence(conductor.begin(nothing)).find("no fault is left") != std::string::npos);
  CHECK(sentence(conductor.begin(order(std::vector<Fault>(300, kill)))).find("256") !=
        std::string::npos);
  CHECK(tree.killed.empty());

  asked.skip_impossible = true;
  REQUIRE(conductor.begin(asked));
  const auto account = ended(conductor);
  REQUIRE(account.skipped.size() == 1);
  CHECK(account.skipped[0].fault.kind == FaultKind::melt);
  CHECK(account.faults[0].state == FaultState::over);
  CHECK(tree.killed.size() == 1);
  conductor.detach();
  CHECK_FALSE(conductor.begin(order({kill})));
}

SCENARIO("a conductor strikes in time and heals by itself", "[chaos]") {
  OverrideDesk overrides;
  (void)overrides.due(Window{4});
  Tree tree;
  ChaosConductor conductor(overrides);
  conductor.attach(tree.reach());
  auto& desk = conductor.desk();

  WHEN("what is held outlives the duration") {
    auto asked = order(
        {{FaultKind::disk_full, "", 0, 0, 3'600'000}, {FaultKind::kill, "tamiyo", 20, 1'000, 0}});
    asked.duration_ms = 200;
    asked.blast = 2;
    REQUIRE(conductor.begin(asked));
    CHECK(conductor.begin(asked).refusal().busy);
    const auto account = ended(conductor);
    THEN("it is lifted, and what waited for messages never came") {
      CHECK(account.ended == "its duration is over");
      CHECK(account.elapsed_ms >= 200);
      CHECK_FALSE(desk.meet(FaultKind::disk_full));
      CHECK(account.faults[0].state == FaultState::missed);  // nobody wrote
      CHECK(account.faults[1].state == FaultState::missed);
      CHECK(tree.killed.empty());
    }
  }
  WHEN("roles handle as many messages as a fault waits for") {
    for (int i = 0; i < 50; ++i) desk.handles(Role::urza, {});
    REQUIRE(conductor.begin(order({{FaultKind::kill, "narset.1", 0, 3, 0}})));
    for (int i = 0; i < 10'000 && conductor.account()->ended.empty(); ++i) {
      desk.handles(Role::urza, {});
      std::this_thread::sleep_for(milliseconds{1});
    }
    THEN("it strikes, and not by those before it") {
      CHECK(desk.handled() >= 53);
      CHECK(ended(conductor).ended == "every fault is over");
      REQUIRE(tree.killed.size() == 1);
      CHECK(tree.killed[0] == std::pair{Role::narset, RegionId{1}});
      CHECK(desk.due(Window{5}).size() == 1);
    }
  }
  WHEN("too many others are down") {
    tree.others_down = 1;
    auto asked = order({{FaultKind::kill, "tamiyo", 0, 0, 0}});
    asked.duration_ms = 100;
    REQUIRE(conductor.begin(asked));
    const auto account = ended(conductor);
    THEN("the blast limit holds it back") {
      CHECK(account.faults[0].state == FaultState::missed);
      CHECK(account.faults[0].note.find("blast limit") != std::string::npos);
    }
  }
  WHEN("no seed stands in the region, and then one does") {
    REQUIRE(conductor.begin(order({{FaultKind::poison_weights, "region.1", 0, 0, 0}})));
    while (!tree.executor.asked) std::this_thread::yield();
    CHECK(conductor.account()->faults[0].state == FaultState::waiting);
    tree.executor.done = 1;
    THEN("it has struck") {
      CHECK(ended(conductor).faults[0].state == FaultState::over);
      CHECK_FALSE(tree.executor.asked);
    }
  }
  WHEN("a person is to freeze a region") {
    REQUIRE(conductor.begin(order({{FaultKind::freeze, "region.2", 0, 0, 3'000}})));
    CHECK(ended(conductor).faults[0].state == FaultState::over);
    THEN("the next turn takes it in, with who asked") {
      const auto given = overrides.due(Window{5});
      REQUIRE(given.size() == 1);
      CHECK(given[0].kind == OverrideKind::freeze);
      CHECK(given[0].region == RegionId{2});
      CHECK(given[0].who == "somebody");
      CHECK(given[0].until == Window{8});  // no window was seen yet: one a second
    }
  }
  WHEN("the run ends, or somebody heals it") {
    REQUIRE(conductor.begin(order({{FaultKind::pause, "tamiyo", 0, 0, 3'600'000}})));
    std::thread handler([&] {
      while (!desk.has_struck(1)) desk.handles(Role::tamiyo, {});
    });
    while (!desk.has_struck(1)) std::this_thread::yield();
    const bool detached = GENERATE(true, false);
    if (detached)
      conductor.detach();
    else
      conductor.heal("somebody asked");
    handler.join();
    THEN("nobody hangs any more") {
      const auto account = ended(conductor);
      CHECK((account.ended == "somebody asked") != detached);
      CHECK(account.faults[0].state == FaultState::over);
    }
  }
}

SCENARIO("a chaos request is read whole or refused with its mistake", "[chaos][control_socket]") {
  const auto fault_of = [](const char* text) {
    const auto read = read_chaos(nlohmann::json::parse(text));
    return read ? std::string{} : read.refusal().sentence;
  };
  const auto read = read_chaos(nlohmann::json::parse(
      R"({"rehearsal": "r", "blast": 3, "duration_ms": 900, "skip_impossible": true,
          "faults": [{"kind": "pause", "target": "tamiyo", "at_ms": 7, "after_events": 2,
                      "duration_ms": 50}]})"));
  REQUIRE(read);
  CHECK(read.value().blast == 3);
  CHECK(read.value().duration_ms == 900);
  CHECK(read.value().skip_impossible);
  REQUIRE(read.value().faults.size() == 1);
  CHECK(told(read.value().faults[0]) == "7 ms + 2 messages: pause tamiyo for 50 ms");
  CHECK(fault_of(R"({"blast": 1, "faults": []})").find("rehearsal") != std::string::npos);
  CHECK(fault_of(R"({"rehearsal": "r", "blast": 1, "faults": [1]})").find("objects") !=
        std::string::npos);
  CHECK(fault_of(R"({"rehearsal": "r", "blast": 1, "faults": [{"kind": "explode", "at_ms": 1}]})")
            .find("fault 1: \"kind\" is one of") != std::string::npos);
  CHECK(fault_of(R"({"rehearsal": "r", "blast": 1, "faults": [{"kind": "kill"}]})").find("at_ms") !=
        std::string::npos);
  CHECK(fault_of(R"({"rehearsal": "r", "blast": -1, "faults": []})").find("blast") !=
        std::string::npos);
  CHECK(fault_of(R"({"rehearsal": "r", "blast": 1, "faults": [], "why": "x"})").find("why") !=
        std::string::npos);
}

}  // namespace esper
