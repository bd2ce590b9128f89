// The whole tree on a trainer without tensors: turns close, roles die and come back.
#include <catch2/catch.hpp>

#include "tests/actors/control_plane_rig.hpp"

namespace esper {

namespace {

std::string decisions(const RunConfig& config, std::uint64_t windows) {
  Rig rig(config);
  return decisions_of(rig, windows);
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
  REQUIRE_FALSE(once.empty());
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
  CHECK(rig.journal.refused_movements() == std::vector<std::string>{});
}

SCENARIO("a disk that refuses stops decisions, not training, and when it recovers the turn commits",
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
