// A witness's votes on the disk of its node.
#include "runtime/cluster/witness_desk.hpp"

#include <catch2/catch.hpp>

#include "messages/json.hpp"
#include "tests/actors/memory_journal.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

RunConfig config_of_three() {
  RunConfig config;
  config.nodes = {
      {.name = "a", .roles = {}}, {.name = "b", .roles = {}}, {.name = "w", .roles = {}}};
  config.nodes[0].roles = {NodeRole::prime, NodeRole::trainer};
  config.nodes[1].roles = {NodeRole::trainer};
  config.nodes[2].roles = {NodeRole::narsets};
  return config;
}

bool gives(WitnessDesk& desk, std::uint64_t epoch) {
  const auto text =
      desk.answer(canonical(WitnessQuestion{.run = 1, .epoch = epoch, .members = {}}));
  return parsed<WitnessAnswer>(text).given;
}

}  // namespace

SCENARIO("a node's vote is on its disk before it leaves, or is not given",
         "[cluster][quorum][witness]") {
  const ScratchFolder folder;
  SilentLog log;
  const auto file = folder / "votes.json";
  {
    WitnessDesk desk(config_of_three(), "w", file, log);
    CHECK(gives(desk, 3));
    CHECK(parsed<WitnessMemory>(file_text(file)).promised == 3);
    CHECK(desk.answer("no question") == "");
  }
  WHEN("the node starts again") {
    WitnessDesk desk(config_of_three(), "w", file, log);
    CHECK_FALSE(gives(desk, 3));
    CHECK(gives(desk, 4));
  }
  WHEN("the disk takes nothing") {
    WitnessDesk desk(config_of_three(), "w", folder / "nowhere/votes.json", log);
    CHECK_FALSE(gives(desk, 3));
    CHECK_FALSE(gives(desk, 4));
  }
  WHEN("the file is not what a node writes") {
    write_text(file, "{}");
    CHECK_THROWS_WITH(WitnessDesk(config_of_three(), "w", file, log),
                      Catch::Matchers::Contains("votes.json is not what a node writes"));
  }
}

}  // namespace esper
