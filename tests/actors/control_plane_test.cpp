// The whole tree on a trainer without tensors: turns close, roles die and come back.
#include "actors/control_plane.hpp"

#include <catch2/catch.hpp>

#include <thread>

#include "messages/json.hpp"
#include "tests/actors/fake_trainer.hpp"
#include "tests/actors/memory_journal.hpp"
#include "tests/test_seed.hpp"

namespace esper {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds patience{20'000};

RunConfig small_config() {
  RunConfig config;
  config.name = "test";
  config.seed = 7;
  config.control.retry_ms = 200;
  config.control.restarts_max = 1'000;
  config.control.backoff_ms_first = config.control.backoff_ms_max = 1;
  config.time.window_steps = 10;
  config.budget.mint_per_region = 400;
  return config;
}

/// Three regions in a row, one slot each; one cheap blueprint.
HostDescription small_host() {
  HostDescription host;
  host.name = "fake";
  host.parameters = 3'000;
  host.operations = 3'000;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto name = std::string{"region"} + std::to_string(i);
    host.regions.push_back({name, {name + "."}, 1'000, 1'000});
    host.slots.push_back({name + ".a", {i}, SlotKind::point, "", 8, 7, 7, 1'000 * (3 - i), name});
    host.slots.push_back({name + ".b", {i}, SlotKind::point, "", 8, 7, 7, 1'000 * (3 - i), name});
  }
  host.edges = {{{0}, {1}, false}, {{1}, {2}, false}};
  return host;
}

Catalogue small_catalogue(const HostDescription& host) {
  Catalogue catalogue;
  Blueprint blueprint;
  blueprint.name = "bottleneck";
  blueprint.kind = BlueprintKind::bottleneck;
  catalogue.blueprints = {blueprint};
  for (std::uint32_t slot = 0; slot < host.slots.size(); ++slot) {
    RiskSheet sheet;
    sheet.blueprint = blueprint.name;
    sheet.slot = {slot};
    sheet.gradient_gain = sheet.output_gain = 1.1;
    sheet.relative_norm = 0.3;
    sheet.parameters = 300;
    sheet.operations = 1'000;
    sheet.risk = 0.2;
    sheet.confidence = 1;
    catalogue.sheets.push_back(sheet);
  }
  return catalogue;
}

struct Rig {
  explicit Rig(RunConfig used = small_config())
      : config(std::move(used)), host(small_host()), trainer(3, config.seed) {
    journal.open_with(small_catalogue(host));
  }
  ControlSeams seams() { return {trainer, journal, metrics, log, filter}; }

  RunConfig config;
  HostDescription host;
  FakeTrainer trainer;
  MemoryJournal journal;
  SilentMetrics metrics;
  SilentLog log;
  TelemetryFilter filter;
};

std::string decisions(const RunConfig& config, std::uint64_t windows) {
  Rig rig(config);
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (std::uint64_t i = 0; i < windows; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{windows}, patience));
  plane.stop();
  return rig.journal.logical_text();
}

}  // namespace

SCENARIO("the tree grows seeds through their gates, each turn journalled before it acts",
         "[control_plane]") {
  Rig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  constexpr std::uint64_t windows = 60;
  for (std::uint64_t i = 0; i < windows; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{windows}, patience));
  CHECK(plane.stop().restarts == 0);
  CHECK(rig.trainer.with_stage(Stage::fossilised) > 0);
  CHECK(rig.journal.count("StrategyPart") == windows);
  CHECK(rig.journal.count("RegionReport") == 3 * windows);
  CHECK(rig.journal.count("GateVerdict") > 0);
}

SCENARIO("one seed gives one journal, whatever the workers and the delays", "[control_plane]") {
  RunConfig config = small_config();
  config.control.threads = 1;
  const auto once = decisions(config, 25);
  config.control.threads = 4;
  CHECK(decisions(config, 25) == once);
  config.control.delay_ms_max = 5;
  CHECK(decisions(config, 25) == once);
}

SCENARIO("every role killed again and again: turns go on, no command is applied twice",
         "[control_plane]") {
  const auto role = GENERATE(Role::narset, Role::tamiyo, Role::kasmina, Role::tolaria, Role::urza,
                             Role::oona, Role::journal);
  INFO("killed: " << name_of(role));
  Rig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  constexpr std::uint64_t windows = 60;
  for (std::uint64_t i = 0; i < windows; ++i) {
    if (i % 4 == 3) {
      const auto before = plane.restarts();
      while (plane.restarts() == before) {  // a kill while the role is down hits nobody
        plane.kill(role, role == Role::narset ? RegionId{1} : RegionId{});
        std::this_thread::sleep_for(milliseconds{2});
      }
    }
    REQUIRE(rig.trainer.close_window(patience));
  }
  REQUIRE(plane.finish(Window{windows}, patience));
  const auto end = plane.stop();
  CHECK(end.restarts >= windows / 4);
  CHECK_FALSE(end.gave_up);
  for (const auto& [id, times] : rig.trainer.applied()) CHECK(times == 1);
  CHECK(rig.trainer.with_stage(Stage::fossilised) > 0);
  CHECK(rig.journal.refused_movements().empty());
}

SCENARIO("a disk that refuses stops decisions, not training; when it recovers the turn commits",
         "[control_plane]") {
  Rig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (int i = 0; i < 5; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{5}, patience));
  rig.journal.refuse(true);
  for (int i = 0; i < 5; ++i) rig.trainer.close_window(patience);  // returns at once: not alive
  CHECK(rig.journal.last_window() == Window{5});
  rig.journal.refuse(false);
  CHECK(plane.finish(Window{10}, patience));
}

SCENARIO("TRAIN-1: with a role given up for good the trainer does not wait", "[control_plane]") {
  RunConfig config = small_config();
  config.control.restarts_max = 1;
  Rig rig(config);
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (int i = 0; i < 40; ++i) {
    plane.kill(Role::kasmina);
    rig.trainer.close_window(patience);
  }
  CHECK(plane.stop().gave_up);
}

}  // namespace esper
