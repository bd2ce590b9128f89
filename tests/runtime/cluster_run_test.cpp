// Whole runs of several real trainers in step, as processes of this machine.
#include <signal.h>
#include <catch2/catch.hpp>

#include <thread>

#include "actors/decisions/random.hpp"
#include "runtime/config.hpp"
#include "tests/cluster/comes_true.hpp"
#include "tests/cluster/ports.hpp"
#include "tests/long_tier.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/json_of.hpp"
#include "tests/runtime/process.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

/// small.json on a prime, another trainer and a node for Narsets alone, whose vote makes one
/// trainer more than half of the nodes; `steps` at most. `last_room`: Narsets on the last node at
/// most, 0 for any number.
void write_config(const ScratchFolder& folder, std::uint32_t steps, std::uint32_t last_room) {
  auto config = load_config(small).config;
  config.training.steps_max = steps;
  config.training.epochs = 1'000;
  config.nodes = {{.name = "a", .port = free_port(), .roles = {}},
                  {.name = "b", .port = free_port(), .roles = {}},
                  {.name = "c", .port = free_port(), .roles = {NodeRole::narsets}}};
  config.nodes[0].roles = {NodeRole::prime, NodeRole::trainer, NodeRole::narsets};
  config.nodes[1].roles = {NodeRole::trainer, NodeRole::narsets};
  for (auto& node : config.nodes) node.narsets_max = 1;
  config.nodes.back().narsets_max = last_room;
  config.cluster.store_port = free_port_row(2);
  config.cluster.timeouts = {.ready_ms = 120'000};
  write_text(folder / "config.json", effective_config(config));
}

}  // namespace

SCENARIO("replicas on several nodes end bit-identical, Narsets spread over all",
         "[cluster][COMMIT-1]") {
  if (!can_run(/*training=*/true)) return;
  const ScratchFolder folder;
  write_config(folder, 120, 1);
  Process run{binary, {"run", "config.json", "--out", (folder / "run").string()}, folder};
  const int code = run.wait();
  INFO(run.err());
  REQUIRE(code == 0);
  const auto report = json_of(folder / "run/report.json");
  CHECK(report.at("reproducible") == true);
  const auto replica = json_of(folder / "run/nodes/b/replica.json");
  CHECK(replica.at("error") == "");
  CHECK(replica.at("steps") == 120);
  CHECK(replica.at("weights_hash") == report.at("weights_hash"));
  for (const auto& node : report.at("nodes")) CHECK(node.at("regions").size() == 1);
}

SCENARIO("a trainer that is killed is gone on without, to the last step", "[cluster][TRAIN-1]") {
  if (!can_run(/*training=*/true)) return;
  RandomStream random(test_seed(), "kills", 0);
  const int rounds = cases(1, 20);
  for (int round = 0; round < rounds; ++round) {
    const ScratchFolder folder;
    write_config(folder, 400, 0);  // what the lost node had has room here
    Process run{binary, {"run", "config.json", "--out", (folder / "run").string()}, folder};
    const auto log = folder / "run/nodes/b/esper.log";
    REQUIRE(comes_true([&] { return file_text(log).find("replica_begins") != std::string::npos; }));
    const auto metrics = [&] { return file_text(folder / "run/metrics.jsonl"); };
    REQUIRE(comes_true(
        [&] { return metrics().find("esper_training_loss_nats") != std::string::npos; }));
    const std::chrono::milliseconds moment{random.below(1'500)};
    CAPTURE(round, moment.count());
    std::this_thread::sleep_for(moment);
    const auto victim = process_with(folder.path().string(), "nodes/b");
    REQUIRE(victim > 0);
    ::kill(victim, SIGKILL);
    const int code = run.wait();
    INFO(run.err());
    REQUIRE(code == 0);
    const auto report = json_of(folder / "run/report.json");
    CHECK(report.at("arms").back().at("steps") == 400);
    CHECK_FALSE(std::filesystem::exists(folder / "run/nodes/b/replica.json"));
  }
}

}  // namespace esper
