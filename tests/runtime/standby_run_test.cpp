// The prime of a real run is lost, and its standby goes on with it: journal, replicas and Narsets.
#include <thread>

#include <signal.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/config.hpp"
#include "tests/cluster/ports.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/postgres_server.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

constexpr std::uint32_t steps = 1'500;

/// small.json on a prime, its standby and a third trainer.
RunConfig config_of(const PostgresServer& server) {
  auto config = load_config(small).config;
  config.training.steps_max = steps;
  config.training.epochs = 1'000;
  config.training.batch = 126;
  config.nodes = {{.name = "a", .port = free_port(), .roles = {NodeRole::prime, NodeRole::trainer}},
                  {.name = "b", .port = free_port(), .roles = {}},
                  {.name = "c", .port = free_port(), .roles = {}}};
  config.nodes[1].roles = {NodeRole::standby, NodeRole::trainer, NodeRole::narsets};
  config.nodes[2].roles = {NodeRole::trainer, NodeRole::narsets};
  config.cluster.store_port = free_port_row(3);
  config.cluster.journal = JournalBackend::postgresql;
  config.cluster.database = server.where();
  config.cluster.timeouts = {.ready_ms = 120'000};
  return config;
}

nlohmann::json json_of(const std::filesystem::path& file) {
  return nlohmann::json::parse(file_text(file), nullptr, false);
}

struct Said {
  int code{};
  std::string out, err;
};

Said says(const std::vector<std::string>& arguments, const ScratchFolder& folder) {
  Process process{binary, arguments, folder};
  const int code = process.wait();
  return {code, process.out(), process.err()};
}

/// Looks again and again until it holds; false: not within three minutes.
template <typename Condition>
bool comes_true(Condition&& holds) {
  for (int look = 0; look < 1'800; ++look) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return false;
}

/// Three nodes as daemons, until they are brought down.
class StandbyRun {
 public:
  StandbyRun() {
    write_text(folder_ / "config.json", effective_config(config_of(server_)));
    const auto up = says({"up", "config.json", "--out", run().string()}, folder_);
    INFO(up.err);
    REQUIRE(up.code == 0);
  }
  ~StandbyRun() { (void)says({"down", run().string()}, folder_); }
  StandbyRun(const StandbyRun&) = delete;
  StandbyRun& operator=(const StandbyRun&) = delete;

  [[nodiscard]] std::filesystem::path run() const { return folder_ / "run"; }
  /// The standby's, as the run's from then on.
  [[nodiscard]] std::filesystem::path after() const { return run() / "nodes/b/run"; }
  [[nodiscard]] std::uint64_t window() const {
    const auto said = says({"status", run().string(), "-o", "json"}, folder_);
    return said.code == 0 ? nlohmann::json::parse(said.out).at("run").at("window").get<std::uint64_t>()
                          : 0;
  }
  [[nodiscard]] pid_t prime() const {
    for (const auto& one : json_of(run() / "nodes/processes.json"))
      if (one.at("node") == "a") return one.at("process").get<pid_t>();
    return 0;
  }
  [[nodiscard]] std::string said_by(const std::string& node) const {
    return file_text(run() / "nodes" / node / "output.txt");
  }
  [[nodiscard]] std::uint64_t entries() const {
    return std::stoull(server_.run("SELECT count(*)::text FROM esper_entries"));
  }

  /// What a run that went on must have come to.
  void check_end() const {
    REQUIRE(comes_true([&] { return std::filesystem::exists(after() / "report.json"); }));
    const auto report = json_of(after() / "report.json");
    INFO(report.at("error"));
    CHECK(report.at("exit") == 0);
    CHECK(report.at("arms").back().at("steps") == steps);
    REQUIRE(comes_true([&] { return std::filesystem::exists(run() / "nodes/c/replica.json"); }));
    CHECK(json_of(run() / "nodes/c/replica.json").at("weights_hash") == report.at("weights_hash"));
    const auto replay = says({"replay", after().string()}, folder_);
    INFO(replay.err);
    CHECK(replay.code == 0);
    const auto ledger = says({"ledger", after().string()}, folder_);
    CHECK(ledger.code == 0);
  }

 private:
  PostgresServer server_;
  ScratchFolder folder_;
};

}  // namespace

SCENARIO("the prime is killed, and its standby goes on to the last step",
         "[cluster][standby][TRAIN-1][LEDGER-1]") {
  if (!can_run(/*training=*/true) || !can_run_postgres()) return;
  const StandbyRun three;
  REQUIRE(comes_true([&] { return three.window() > 5; }));
  REQUIRE(three.prime() > 0);
  ::kill(three.prime(), SIGKILL);
  three.check_end();
  INFO(three.said_by("b"));
  CHECK(three.said_by("b").find("leads the run from now on") != std::string::npos);
  CHECK(three.said_by("c").find("joined b") != std::string::npos);
}

SCENARIO("a prime that stood still for longer than the take-over changes nothing any more",
         "[cluster][standby][FENCE-1][LEDGER-2]") {
  if (!can_run(/*training=*/true) || !can_run_postgres()) return;
  const StandbyRun three;
  REQUIRE(comes_true([&] { return three.window() > 5; }));
  const auto prime = three.prime();
  REQUIRE(prime > 0);
  ::kill(prime, SIGSTOP);
  REQUIRE(comes_true(
      [&] { return three.said_by("b").find("leads the run from now on") != std::string::npos; }));
  const auto then = three.entries();
  REQUIRE(comes_true([&] { return three.entries() > then; }));
  ::kill(prime, SIGCONT);
  // It finds that another leads, and ends; the run does not notice.
  CHECK(comes_true([&] {
    const auto report = json_of(three.run() / "report.json");
    return report.is_object() && report.at("exit") != 0;
  }));
  INFO(three.said_by("a"));
  three.check_end();
}

}  // namespace esper
