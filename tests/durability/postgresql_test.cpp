// The real process with its journal in PostgreSQL: the same run, killed, taken over from, and read.
#include <thread>

#include <catch2/catch.hpp>

#include "messages/json.hpp"
#include "runtime/postgresql/postgres_journal.hpp"
#include "runtime/read_run.hpp"
#include "runtime/replay.hpp"
#include "tests/durability/plain_runs.hpp"
#include "tests/runtime/postgres_server.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

RunConfig in_postgresql(RunConfig config, const PostgresServer& server) {
  config.cluster.journal = JournalBackend::postgresql;
  config.cluster.database = server.where();
  config.cluster.timeouts.heartbeat_ms = 20;
  config.cluster.timeouts.suspicion_ms = 200;
  config.cluster.timeouts.confirmation_ms = 400;
  return config;
}

std::string run_name(const fs::path& run) {
  std::ifstream input{run / "journal.run"};
  std::string name;
  std::getline(input, name);
  return name;
}

/// The newest turn that took effect, as the trainer tells.
std::uint64_t newest_turn(const fs::path& witness) {
  std::ifstream lines{witness};
  std::uint64_t newest = 0;
  std::string what;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::uint64_t number = 0;
    words >> what >> number;
    if (what == "turn") newest = number;
  }
  return newest;
}

/// False: it did not come within a minute.
template <typename Condition>
bool comes(Condition&& condition) {
  for (int look = 0; look < 6'000; ++look) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

int exit_of(const PlainRuns& runs, std::vector<std::string> arguments) {
  const ScratchFolder elsewhere;
  Process process{runs.executable(), std::move(arguments), elsewhere};
  return process.wait();
}

}  // namespace

SCENARIO("a run comes to the same with its journal in PostgreSQL, killed and resumed too",
         "[durability][postgresql]") {
  if (!can_run_plain() || !can_run_postgres()) return;
  PostgresServer server;
  const auto config = plain_config(test_seed(), 40);
  const PlainRuns files(config), rows(in_postgresql(config, server));
  const auto in_file = files.ended(files.begin("run"));
  INFO(in_file.err);
  REQUIRE(in_file.code == 0);
  const auto in_rows = rows.ended(rows.begin("run"));
  INFO(in_rows.err);
  REQUIRE(in_rows.code == 0);
  CHECK(came_to(rows / "run") == came_to(files / "run"));
  CHECK_FALSE(fs::exists(rows / "run/journal.db"));

  Process killed = rows.start(rows.begin("killed"), "", /*window_ms=*/5);
  REQUIRE(comes([&] { return newest_turn(rows.witness("killed")) >= 15; }));
  killed.signal(SIGKILL);
  CHECK(killed.wait() == killed_code);
  const auto resumed = rows.ended(PlainRuns::resume("killed"));
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(came_to(rows / "killed") == came_to(files / "run"));

  const auto run = (rows / "run").string();
  for (const auto& name : {"run", "killed"}) {
    const auto read = read_run(rows / name);
    CHECK(read.troubles == std::vector<std::string>{});
    CHECK_FALSE(replay(read.entries).first);
  }
  CHECK(read_run(rows / "run").entries.size() == read_run(files / "run").entries.size());
  for (const char* command : {"events", "ledger", "replay", "report"}) {
    INFO(command);
    CHECK(exit_of(rows, {command, run}) == 0);
  }
  server.run("UPDATE esper_entries SET payload = '{}' WHERE sequence = 9 AND run = '" +
             run_name(run) + "'");
  CHECK(exit_of(rows, {"events", run}) == 5);
  server.end(SIGINT);
  CHECK(exit_of(rows, {"events", run}) == 4);
}

SCENARIO(
    "FENCE-1: a run that was stopped while another process took over trains on and does nothing",
    "[durability][postgresql][FENCE-1][TRAIN-1]") {
  if (!can_run_plain() || !can_run_postgres()) return;
  PostgresServer server;
  auto config = in_postgresql(plain_config(test_seed(), 150), server);
  config.pace.mode = Pace::free;
  const PlainRuns runs(config);
  Process process = runs.start(runs.begin("run"), "", /*window_ms=*/15);
  REQUIRE(comes([&] { return newest_turn(runs.witness("run")) >= 20; }));
  process.signal(SIGSTOP);
  const std::atomic<bool> never{false};
  const PostgresPlace place{config.cluster.database, run_name(runs / "run"),
                            config.cluster.timeouts};
  auto other = PostgresJournal::stand_by(place, never);
  REQUIRE(other.has_value());
  const auto taken_at = other.value()->next_sequence();
  const auto last = other.value()->last_window();
  process.signal(SIGCONT);
  const int code = process.wait();
  INFO(process.err());
  CHECK(code == number_of(ExitCode::degraded));
  const auto report = nlohmann::json::parse(file_text(runs / "run/report.json"));
  CHECK(report.at("breakers").dump().find("journal.deposed") != std::string::npos);
  CHECK((!report.contains("seal") || report.at("seal").is_null()));
  // What was recorded before it was stopped may still take effect; nothing that it decided since.
  CHECK(newest_turn(runs.witness("run")) <= last.value);
  CHECK(other.value()->next_sequence() == taken_at);
  const auto check = other.value()->check();
  CHECK(check.entries == taken_at - 1);
  CHECK(check.ends_at(other.value()->head_hash()));
  CHECK(read_run(runs / "run").entries.size() == taken_at - 1);
}

}  // namespace esper
