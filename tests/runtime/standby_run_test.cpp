// The prime of a real run is lost, and the run goes on: with its standby, which takes the journal,
// or when it is started again.
#include <signal.h>
#include <catch2/catch.hpp>

#include <thread>

#include "actors/decisions/random.hpp"
#include "runtime/config.hpp"
#include "tests/cluster/comes_true.hpp"
#include "tests/cluster/ports.hpp"
#include "tests/long_tier.hpp"
#include "tests/runtime/esper_says.hpp"
#include "tests/runtime/json_of.hpp"
#include "tests/runtime/postgres_server.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

constexpr std::uint32_t steps = 1'000;

/// small.json on three trainers.
RunConfig three_trainers() {
  auto config = load_config(small).config;
  config.training.steps_max = steps;
  config.training.epochs = 1'000;
  config.training.batch = 126;
  config.baselines = {.host = false, .widened = false, .scratch = false, .uncut = false};
  config.nodes = {{.name = "a", .port = free_port(), .roles = {NodeRole::prime, NodeRole::trainer}},
                  {.name = "b", .port = free_port(), .roles = {}},
                  {.name = "c", .port = free_port(), .roles = {}}};
  config.nodes[1].roles = {NodeRole::trainer, NodeRole::narsets};
  config.nodes[2].roles = {NodeRole::trainer, NodeRole::narsets};
  config.cluster.store_port = free_port_row(3);
  config.cluster.timeouts = {.ready_ms = 120'000};
  return config;
}

/// The second of them stands by.
RunConfig with_standby(const PostgresServer& server) {
  auto config = three_trainers();
  config.nodes[1].roles.push_back(NodeRole::standby);
  config.cluster.journal = JournalBackend::postgresql;
  config.cluster.database = server.where();
  return config;
}

/// Three nodes as daemons, until they are brought down.
class UpTrainers {
 public:
  explicit UpTrainers(const RunConfig& config) {
    write_text(folder_ / "config.json", effective_config(config));
    const auto up = esper_says({"up", (folder_ / "config.json").string(), "--out", run().string()});
    INFO(up.err);
    REQUIRE(up.exit == 0);
    REQUIRE(comes_true([&] { return window() > 5; }));
    REQUIRE(prime() > 0);
  }
  ~UpTrainers() { (void)esper_says({"down", run().string()}); }
  UpTrainers(const UpTrainers&) = delete;
  UpTrainers& operator=(const UpTrainers&) = delete;

  [[nodiscard]] const ScratchFolder& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path run() const { return folder_ / "run"; }
  [[nodiscard]] std::uint64_t window() const {
    const auto said = esper_says({"status", run().string(), "-o", "json"});
    if (said.exit != 0) return 0;
    return nlohmann::json::parse(said.out).at("run").at("window").get<std::uint64_t>();
  }
  [[nodiscard]] pid_t prime() const {
    for (const auto& one : json_of(run() / "nodes/processes.json"))
      if (one.at("node") == "a") return one.at("process").get<pid_t>();
    return 0;
  }
  [[nodiscard]] std::string said_by(const std::string& node) const {
    return file_text(run() / "nodes" / node / "output.txt");
  }
  [[nodiscard]] bool has_said(const std::string& node, const std::string& words) const {
    return comes_true([&] { return said_by(node).find(words) != std::string::npos; });
  }

  /// What a run must have come to that went on in `last`: all steps, one model, and decisions that
  /// are made again alike.
  void check_end(const std::filesystem::path& last) const {
    INFO(said_by("a") << said_by("b") << said_by("c"));
    REQUIRE(comes_true([&] { return std::filesystem::exists(last / "report.json"); }));
    const auto report = json_of(last / "report.json");
    INFO(report.at("error"));
    REQUIRE(report.at("exit") == 0);
    CHECK(report.at("arms").back().at("steps") == steps);
    const auto replica = run() / "nodes/c/replica.json";
    REQUIRE(comes_true([&] { return std::filesystem::exists(replica); }));
    CHECK(json_of(replica).at("weights_hash") == report.at("weights_hash"));
    const auto replay = esper_says({"replay", last.string()});
    INFO(replay.err);
    CHECK(replay.exit == 0);
    CHECK(esper_says({"ledger", last.string()}).exit == 0);
  }

 private:
  ScratchFolder folder_;
};

constexpr const char* takes_over = "leads the run from now on";
const std::filesystem::path standbys = "nodes/b/run";  // the run's directory from then on

}  // namespace

SCENARIO("the prime is killed, and its standby goes on to the last step",
         "[cluster][standby][TRAIN-1][LEDGER-1]") {
  if (!can_run(/*training=*/true) || !can_run_postgres()) return;
  const PostgresServer server;
  RandomStream random(test_seed(), "kills", 0);
  const int rounds = cases(1, 20);
  for (int round = 0; round < rounds; ++round) {
    const UpTrainers three(with_standby(server));
    const std::chrono::milliseconds moment{random.below(3'000)};
    CAPTURE(round, moment.count());
    std::this_thread::sleep_for(moment);
    ::kill(three.prime(), SIGKILL);
    REQUIRE(three.has_said("b", takes_over));
    CHECK(three.has_said("c", "joined b"));
    three.check_end(three.run() / standbys);
  }
}

SCENARIO("a prime that stood still for longer than the take-over changes nothing any more",
         "[cluster][standby][FENCE-1][LEDGER-2]") {
  if (!can_run(/*training=*/true) || !can_run_postgres()) return;
  const PostgresServer server;
  const UpTrainers three(with_standby(server));
  const auto entries = [&] {
    return std::stoull(server.run("SELECT count(*)::text FROM esper_entries"));
  };
  const auto prime = three.prime();
  ::kill(prime, SIGSTOP);
  REQUIRE(three.has_said("b", takes_over));
  const auto then = entries();
  REQUIRE(comes_true([&] { return entries() > then; }));
  ::kill(prime, SIGCONT);
  // It finds that another leads, and ends; the run does not notice.
  CHECK(comes_true([&] {
    const auto report = json_of(three.run() / "report.json");
    return report.is_object() && report.at("exit") != 0;
  }));
  three.check_end(three.run() / standbys);
}

SCENARIO("a prime that was killed is started again and leads those who went on",
         "[cluster][TRAIN-1][LEDGER-1]") {
  if (!can_run(/*training=*/true)) return;
  const bool behind_a_checkpoint = GENERATE(false, true);
  INFO(behind_a_checkpoint);
  auto config = three_trainers();
  if (!behind_a_checkpoint) config.checkpoints.keep = 0;
  const UpTrainers three(config);
  const auto whole = three.run() / "checkpoints/checkpoint-00000001.safetensors";
  if (behind_a_checkpoint) REQUIRE(comes_true([&] { return std::filesystem::exists(whole); }));
  CHECK(std::filesystem::exists(whole) == behind_a_checkpoint);
  ::kill(three.prime(), SIGKILL);
  Process again{binary,
                {"node", (three.run() / "nodes/config.json").string(), "--name", "a", "--out",
                 three.run().string(), "--certificates", (three.run() / "certificates").string()},
                three.folder()};
  const int code = again.wait();
  INFO(again.err());
  CHECK(code == 0);
  three.check_end(three.run());
}

}  // namespace esper
