// Nodes of this machine, as daemons: how long until all are ready, until one that is killed or
// stands still is noticed, and until its regions decide again. Aims: a kill within 10 ms, a
// standstill within 2 s, the next turn within 2 s, the window's own length taken off.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/config.hpp"
#include "runtime/control/control_client.hpp"
#include "runtime/control/live_run.hpp"

namespace esper {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::system_clock;  // the log's

constexpr int rounds = 7;
constexpr std::uint32_t first_port = 7'451;
constexpr std::chrono::seconds patience{60};

double ms_since(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

fs::path beside_this(const char* name) {
  return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

int run(const std::vector<std::string>& arguments) {
  std::vector<char*> raw;
  for (const auto& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr) ::_exit(127);
    ::execv(raw.front(), raw.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// When the log first told of `event` after `since`; nothing: not within a minute.
std::optional<Clock::time_point> told(const fs::path& log, const std::string& event,
                                      Clock::time_point since) {
  const auto deadline = Clock::now() + patience;
  while (Clock::now() < deadline) {
    std::ifstream lines{log};
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (!json.is_object() || json.value("event", "") != event) continue;
      const auto text = json.at("time").get<std::string>();
      std::tm parts{};
      if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) continue;
      const auto at = Clock::from_time_t(::timegm(&parts)) +
                      std::chrono::milliseconds{std::stoi(text.substr(20, 3)) + 1};
      if (at >= since) return at;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return std::nullopt;
}

std::optional<LiveStatus> status_of(const fs::path& folder) {
  const auto answer =
      ask_run(folder / "control.sock", {{"command", "status"}}, std::chrono::seconds{5});
  if (!answer) return std::nullopt;
  LiveStatus status;
  from_json(answer.value(), status);
  return status;
}

/// Four nodes, a prime that trains among them, until `down`.
class FourNodes {
 public:
  FourNodes(const fs::path& folder, const std::string& config) : run_(folder / "run") {
    fs::remove_all(run_);
    const auto began = Clock::now();
    if (run({beside_this("esper"), "up", config, "--out", run_}) != 0)
      throw std::runtime_error("esper up failed");
    ready_ms_ = ms_since(began, Clock::now());
  }
  ~FourNodes() { (void)run({beside_this("esper"), "down", run_}); }
  FourNodes(const FourNodes&) = delete;
  FourNodes& operator=(const FourNodes&) = delete;

  [[nodiscard]] double ready_ms() const { return ready_ms_; }

  struct Loss {
    double seen_ms{}, next_turn_ms{};
  };
  /// A node with Narsets is struck by that signal.
  Loss lose(int signal, const std::string& event) {
    const auto before = settled();
    const auto victim =
        std::find_if(before.nodes.begin() + 1, before.nodes.end(),
                     [](const NodeStanding& node) { return !node.regions.empty(); });
    if (victim == before.nodes.end()) throw std::runtime_error("no node has Narsets");
    const auto region = victim->regions.front();
    const auto struck = Clock::now();
    ::kill(process_of(victim->node), signal);
    Loss loss;
    const auto deadline = struck + patience;
    while (Clock::now() < deadline && loss.next_turn_ms == 0) {
      const auto now = status_of(run_);
      if (!now) continue;
      for (std::size_t i = 0; i < now->run.regions.size(); ++i)
        if (now->run.regions[i].region == region && now->run.regions[i].absent.empty() &&
            now->run.regions[i].epoch > before.run.regions[i].epoch)
          loss.next_turn_ms = ms_since(struck, Clock::now());
    }
    if (const auto at = told(run_ / "esper.log", event, struck))
      loss.seen_ms = ms_since(struck, *at);
    ::kill(process_of(victim->node), SIGCONT);
    return loss;
  }

  [[nodiscard]] std::uint64_t window() const {
    const auto status = status_of(run_);
    return status ? status->run.window.value : 0;
  }
  /// How often the log tells of that event.
  [[nodiscard]] std::size_t times(const std::string& event) const {
    std::ifstream lines{run_ / "esper.log"};
    std::size_t found = 0;
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      found += json.is_object() && json.value("event", "") == event ? 1 : 0;
    }
    return found;
  }

 private:
  /// Once some turns have been decided by every region.
  [[nodiscard]] LiveStatus settled() const {
    for (;;) {
      auto status = status_of(run_);
      if (status && status->run.window.value > 5 &&
          std::all_of(status->run.regions.begin(), status->run.regions.end(),
                      [](const RegionStanding& region) { return region.absent.empty(); }))
        return std::move(*status);
    }
  }
  [[nodiscard]] pid_t process_of(const std::string& node) const {
    std::ifstream input{run_ / "nodes/processes.json"};
    for (const auto& one : nlohmann::json::parse(input))
      if (one.at("node") == node) return one.at("process").get<pid_t>();
    return 0;
  }

  fs::path run_;
  double ready_ms_{};
};

std::string config_in(const fs::path& folder) {
  RunConfig config;
  config.name = "bench";
  config.data.training_samples = 4'000;
  config.data.gate_samples = 2'048;
  config.gates.updates_min = 60;
  config.data.test_samples = 100;
  config.training.batch = 64;
  config.training.epochs = 1'000;
  config.time.window_steps = 10;
  config.time.gate_samples = 256;
  config.time.verdict_samples = 512;
  config.compaction.enabled = false;
  config.baselines = {.host = false, .widened = false, .scratch = false, .uncut = false};
  for (const char* name : {"a", "b", "c", "d"})
    config.nodes.push_back({.name = name,
                            .port = first_port + static_cast<std::uint32_t>(config.nodes.size()),
                            .roles = {NodeRole::narsets}});
  config.nodes.front().roles = {NodeRole::prime, NodeRole::trainer};
  const auto file = folder / "config.json";
  std::ofstream{file} << effective_config(config);
  return file;
}

void row(const char* what, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::printf("%-44s %9.1f %9.1f %9.1f\n", what, values.front(), values[values.size() / 2],
              values.back());
}

void measure(const fs::path& folder) {
  const auto config = config_in(folder);
  std::vector<double> ready, kill_seen, kill_turn, stop_seen, stop_turn;
  for (int round = 0; round < rounds; ++round) {
    FourNodes killed(folder, config);
    ready.push_back(killed.ready_ms());
    const auto loss = killed.lose(SIGKILL, "role_down");
    kill_seen.push_back(loss.seen_ms);
    kill_turn.push_back(loss.next_turn_ms);
  }
  for (int round = 0; round < rounds; ++round) {
    FourNodes stopped(folder, config);
    const auto loss = stopped.lose(SIGSTOP, "node_lost");
    stop_seen.push_back(loss.seen_ms);
    stop_turn.push_back(loss.next_turn_ms);
  }
  std::printf("ms, of %d each                                     min       p50       max\n",
              rounds);
  row("up, four nodes: all ready", ready);
  row("kill -9: noticed (aim 10)", kill_seen);
  row("kill -9: its region's next turn (aim 2000)", kill_turn);
  row("SIGSTOP: node lost (aim 2000 + heartbeat)", stop_seen);
  row("SIGSTOP: its region's next turn", stop_turn);
}

/// With every core busy, and half as many threads again: how often a node that stands was taken for
/// lost. The run's own trainer takes part of the cores.
void stay_calm(const fs::path& folder, std::chrono::seconds length) {
  FourNodes nodes(folder, config_in(folder));
  std::atomic<bool> over{false};
  std::vector<std::thread> busy;
  const auto threads = std::thread::hardware_concurrency() * 3 / 2;
  for (unsigned i = 0; i < threads; ++i)
    busy.emplace_back([&] {
      while (!over) {
      }
    });
  std::this_thread::sleep_for(length);  // what is measured: how long nothing happens
  over = true;
  for (auto& thread : busy) thread.join();
  const auto turns = nodes.window();
  std::printf("%lld s with %u busy threads beside the run: %llu turns, %zu nodes lost, %zu roles\n",
              static_cast<long long>(length.count()), threads,
              static_cast<unsigned long long>(turns), nodes.times("node_lost"),
              nodes.times("role_down"));
}

}  // namespace

}  // namespace esper

/// Without words: the times. "calm SECONDS": false alarms within so long.
int main(int count, char** words) {
  char folder[] = "/tmp/esper-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 1;
  int code = 0;
  try {
    if (count == 3 && std::string{words[1]} == "calm")
      esper::stay_calm(folder, std::chrono::seconds{std::stoul(words[2])});
    else
      esper::measure(folder);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = 1;
  }
  std::filesystem::remove_all(folder);
  return code;
}
