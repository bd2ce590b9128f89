// Real processes on several nodes of this machine: launched, watched, lost, ended.
#include <thread>

#include "tests/cluster/cluster_runs.hpp"
#include "tests/durability/watched_run.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

/// Nobody runs on whose command line that folder stands.
bool nobody_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (file_text(entry.path() / "cmdline").find(folder.string()) == std::string::npos) continue;
    if (entry.path().filename() != std::to_string(::getpid())) return false;
  }
  return true;
}

const NodeStanding* node_of(const std::vector<NodeStanding>& nodes, const std::string& name) {
  for (const auto& node : nodes)
    if (node.node == name) return &node;
  return nullptr;
}

}  // namespace

SCENARIO("a run on three nodes comes to the decisions of a run on one", "[cluster]") {
  if (!can_run_plain()) return;
  const auto seed = test_seed();
  auto alone = cluster_config(seed, 40);
  alone.nodes.clear();
  const PlainRuns one(alone);
  const auto expected = one.ended(one.begin("run"));
  INFO(expected.err);
  REQUIRE(expected.code == 0);

  const auto config = cluster_config(seed, 40);
  const PlainRuns three(config);
  const auto ended = three.ended(three.begin("run"));
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  CHECK(came_to(three / "run") == came_to(one / "run"));
  CHECK(came_to(three / "run").reproducible);
  const auto nodes = nodes_in(nlohmann::json::parse(file_text(three / "run/report.json")));
  REQUIRE(nodes.size() == 3);
  for (const auto& node : nodes) CHECK(node.state == "alive");
  CHECK(nodes[0].regions.empty());
  CHECK(nodes[1].regions.size() + nodes[2].regions.size() > 1);
  CHECK_FALSE(std::filesystem::exists(three / "run/certificates"));
  CHECK(nobody_in(three.folder().path()));
  for (const auto& node : config.nodes) CHECK_FALSE(listens(node.port));
}

SCENARIO("up, drain and down: a node's Narsets move, and nothing is left", "[cluster]") {
  if (!can_run_plain()) return;
  const auto config = cluster_config(test_seed(), 100'000);
  const PlainRuns runs(config);
  {
    UpRun up(runs, "run", 10);
    INFO(up.err());
    REQUIRE(up.code() == 0);
    REQUIRE(comes_true([&] { return up.window() > 5; }));
    const auto home = node_of(up.nodes(), "b")->regions.empty() ? "c" : "b";
    const std::string other = std::string{home} == "b" ? "c" : "b";
    CHECK(up.says({"drain", up.folder().string(), "a"}).code == 2);
    CHECK(up.says({"drain", up.folder().string(), "z"}).code == 2);
    CHECK(up.says({"drain", up.folder().string(), home}).code == 0);
    CHECK(comes_true([&] {
      const auto nodes = up.nodes();
      return !nodes.empty() && node_of(nodes, home)->regions.empty() &&
             !node_of(nodes, other)->regions.empty();
    }));
    const auto refused = up.says({"drain", up.folder().string(), other});
    CHECK(refused.code == 2);
    CHECK(refused.err == "no other node that is there takes Narsets\n");
    const auto window = up.window();
    CHECK(comes_true([&] { return up.window() > window + 5; }));
    CHECK(up.down() == 0);
    CHECK_FALSE(std::filesystem::exists(up.folder() / "certificates"));
  }
  CHECK(nobody_in(runs.folder().path()));
  for (const auto& node : config.nodes) CHECK_FALSE(listens(node.port));
  WatchedRun watched(runs / "run", runs.witness("run"));
  CHECK(watched.look() == "");
}

SCENARIO("a node that is killed, or stands still, is lost, and its regions move",
         "[cluster][FENCE-1][LEDGER-1][LEDGER-2]") {
  if (!can_run_plain()) return;
  for (const int with : {SIGKILL, SIGSTOP}) {
    const PlainRuns runs(cluster_config(test_seed(), 100'000));
    UpRun up(runs, "run", 10);
    INFO(up.err());
    REQUIRE(up.code() == 0);
    REQUIRE(comes_true([&] { return up.window() > 5; }));
    const std::string home = node_of(up.nodes(), "b")->regions.empty() ? "c" : "b";
    const std::string other = home == "b" ? "c" : "b";
    const auto process = up.process_of(home);
    ::kill(process, with);
    CHECK(comes_true([&] {
      const auto nodes = up.nodes();
      return !nodes.empty() && node_of(nodes, home)->state == "lost" &&
             node_of(nodes, home)->regions.empty() && !node_of(nodes, other)->regions.empty();
    }));
    const auto window = up.window();
    CHECK(comes_true([&] { return up.window() > window + 5; }));
    if (with == SIGSTOP) {  // it comes back as new, and takes what is given to it
      ::kill(process, SIGCONT);
      CHECK(comes_true([&] {
        const auto nodes = up.nodes();
        return !nodes.empty() && node_of(nodes, home)->state == "alive";
      }));
      CHECK(up.says({"drain", up.folder().string(), other}).code == 0);
      CHECK(comes_true([&] {
        const auto nodes = up.nodes();
        return !nodes.empty() && !node_of(nodes, home)->regions.empty();
      }));
      const auto back = up.window();
      CHECK(comes_true([&] { return up.window() > back + 5; }));
    }
    CHECK(up.down() == 0);
    WatchedRun watched(runs / "run", runs.witness("run"));
    CHECK(watched.look() == "");
  }
}

SCENARIO("up that is interrupted, or whose nodes don't come, leaves nothing", "[cluster]") {
  if (!can_run_plain()) return;
  auto config = cluster_config(test_seed(), 1'000);
  config.cluster.timeouts = {.ready_ms = 11'000};
  GIVEN("a port that is taken") {
    const PlainRuns other(cluster_config(test_seed(), 100'000));
    UpRun first(other, "run", 10);
    REQUIRE(first.code() == 0);
    const auto taken = load_config(other / "config.json").config.nodes.at(1).port;
    config.nodes.at(1).port = taken;
    const PlainRuns runs(config);
    UpRun up(runs, "run", 10);
    CHECK(up.code() == 4);
    INFO(up.err());
    CHECK(up.err().find("b ended with exit 1") != std::string::npos);
    CHECK(nobody_in(runs.folder().path()));
    CHECK_FALSE(std::filesystem::exists(runs / "run"));
  }
  GIVEN("a node that nobody starts, and a person who does not wait") {
    const PlainRuns certified(config);
    const ScratchFolder elsewhere;
    Process certs{certified.executable(),
                  {"certs", (certified / "certs").string(), "a", "b", "c", "d"},
                  elsewhere};
    REQUIRE(certs.wait() == 0);
    config.cluster.certificates = (certified / "certs").string();
    config.nodes.push_back(
        {.name = "d", .address = "192.0.2.1", .port = 7'000, .roles = {NodeRole::narsets}});
    const PlainRuns runs(config);
    const auto begin = [&] {
      return Process{runs.executable(),
                     {"up", (runs / "config.json").string(), "--out", (runs / "run").string()},
                     elsewhere};
    };
    {
      Process up = begin();
      CHECK(comes_true([&] { return listens(config.nodes.front().port); }));
      up.signal(SIGINT);
      CHECK(up.wait() == 130);
      CHECK(up.out().find("on 192.0.2.1:  esper node") != std::string::npos);
      CHECK(nobody_in(runs.folder().path()));
      CHECK_FALSE(std::filesystem::exists(runs / "run"));
    }
    Process up = begin();
    CHECK(up.wait() == 4);
    CHECK(up.err().find("d did not come within 11000 ms") != std::string::npos);
    CHECK(nobody_in(runs.folder().path()));
  }
}

SCENARIO("a node with another config is refused, and both sides say so", "[cluster]") {
  if (!can_run_plain()) return;
  auto config = cluster_config(test_seed(), 100'000);
  config.cluster.timeouts = {.ready_ms = 11'000};
  const PlainRuns runs(config);
  UpRun up(runs, "run", 10);
  REQUIRE(up.code() == 0);
  ::kill(up.process_of("c"), SIGKILL);
  config.seed += 1;
  const PlainRuns others(config);
  const ScratchFolder elsewhere;
  Process node{others.executable(),
               {"node", (others / "config.json").string(), "--name", "c", "--out",
                (others / "c").string(), "--certificates", (up.folder() / "certificates").string()},
               elsewhere};
  CHECK(node.wait() == 4);
  CHECK(node.err().find("config") != std::string::npos);
  CHECK(file_text(up.folder() / "esper.log").find("gate_refused") != std::string::npos);
}

}  // namespace esper
