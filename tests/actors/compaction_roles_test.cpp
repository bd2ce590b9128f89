// Elesh and Emrakul in the tree: what is measured at one checkpoint is cut at the next, or skipped.
#include <catch2/catch.hpp>

#include "actors/decisions/cycles.hpp"
#include "tests/actors/control_plane_rig.hpp"

namespace esper {

namespace {

constexpr std::uint64_t checkpoint_windows = 8;

/// Two groups of 32 channels in the first two of three regions.
HostDescription coupled_host() {
  HostDescription host = small_host(0);
  host.parameters = host.operations = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto name = "region" + std::to_string(i) + ".weight";
    host.tensors.push_back({name, {32, 32}, 10});
    host.regions[i].parameters = 1'024;
    host.regions[i].operations = 10'240;
    host.parameters += host.regions[i].parameters;
    host.operations += host.regions[i].operations;
    if (i < 2)
      host.coupled_groups.push_back(
          {"group" + std::to_string(i),
           {i},
           32,
           {{name, 0, 1}, {"region" + std::to_string(i + 1) + ".weight", 1, 1}},
           {}});
  }
  return host;
}

RunConfig compacting() {
  RunConfig config = small_config();
  config.time.cycle_windows = 4;
  config.time.checkpoint_cycles = 2;
  config.compaction.importance_lost_max = 0.5;
  return config;
}

struct CompactingRig : Rig {
  explicit CompactingRig(RunConfig used = compacting()) : Rig(std::move(used)) {
    host = coupled_host();
    trainer.enable_checkpoints(host, checkpoint_windows);
  }
};

std::string decisions(const RunConfig& config, std::uint64_t windows) {
  CompactingRig rig(config);
  return decisions_of(rig, windows);
}

}  // namespace

SCENARIO("what is measured at one checkpoint is cut at the next", "[compaction_roles]") {
  CompactingRig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  constexpr std::uint64_t windows = 5 * checkpoint_windows;
  for (std::uint64_t i = 0; i < windows; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{windows}, patience));
  CHECK(plane.stop().restarts == 0);
  CHECK(rig.journal.count("CheckpointReady") == 5);
  CHECK(rig.journal.count("ImportanceReport") == 4);  // of each but the last
  CHECK(rig.journal.count("PruningPart") == 4);
  CHECK(rig.journal.count("SurgeryOutcome") > 0);
  CHECK(rig.trainer.host().parameters < rig.host.parameters);
  CHECK(rig.journal.refused_movements() == std::vector<std::string>{});
}

SCENARIO("plans are the same whatever the workers and the delays", "[compaction_roles]") {
  RunConfig config = compacting();
  config.control.threads = 1;
  constexpr std::uint64_t windows = 3 * checkpoint_windows;
  const auto once = decisions(config, windows);
  REQUIRE_FALSE(once.empty());
  config.control.threads = 4;
  config.control.delay_ms_max = 5;
  CHECK(decisions(config, windows) == once);
}

SCENARIO("Elesh or Emrakul killed again and again: turns go on, at worst a plan is skipped",
         "[compaction_roles]") {
  const auto role = GENERATE(Role::elesh, Role::emrakul);
  INFO("killed: " << name_of(role));
  CompactingRig rig;
  ControlPlane plane(rig.config, rig.host, rig.seams());
  constexpr std::uint64_t windows = 6 * checkpoint_windows;
  for (std::uint64_t i = 0; i < windows; ++i) {
    if (i % 3 == 2) {
      const auto before = plane.restarts();
      while (plane.restarts() == before) {
        plane.kill(role);
        std::this_thread::sleep_for(milliseconds{2});
      }
    }
    REQUIRE(rig.trainer.close_window(patience));
  }
  REQUIRE(plane.finish(Window{windows}, patience));
  const auto end = plane.stop();
  CHECK(end.restarts >= windows / 3);
  CHECK_FALSE(end.gave_up);
  CHECK(rig.journal.count("StrategyPart") == windows);
}

SCENARIO("without compaction there is neither role nor plan", "[compaction_roles]") {
  RunConfig config = compacting();
  config.compaction.enabled = false;
  CompactingRig rig(config);
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (std::uint64_t i = 0; i < 20; ++i) REQUIRE(rig.trainer.close_window(patience));
  REQUIRE(plane.finish(Window{20}, patience));
  plane.stop();
  CHECK(rig.journal.count("PruningPart") == 0);
  CHECK(rig.trainer.host().parameters == rig.host.parameters);
}

}  // namespace esper
