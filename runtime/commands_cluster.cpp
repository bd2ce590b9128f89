// `esper up`, `esper down` and `esper drain`: the nodes of this machine as daemons.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>

#include "messages/json.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/cluster/local_nodes.hpp"
#include "runtime/cluster/node_identity.hpp"
#include "runtime/commands.hpp"
#include "runtime/control/control_client.hpp"
#include "runtime/control/live_run.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/listed.hpp"

namespace esper {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds look{50};
constexpr std::chrono::milliseconds ending_max{5'000};
constexpr std::chrono::milliseconds answer_max{2'000};
constexpr const char* processes_name = "processes.json";

fs::path processes_of(const fs::path& run) { return run / "nodes" / processes_name; }

std::vector<NodeProcess> read_processes(const fs::path& run) {
  std::ifstream input{processes_of(run)};
  std::vector<NodeProcess> processes;
  try {
    from_json(nlohmann::json::parse(input), processes);
  } catch (const std::exception&) {
    return {};
  }
  return processes;
}

bool lives(const NodeProcess& node) {
  const auto ticks = start_ticks(static_cast<pid_t>(node.process));
  return ticks != 0 && ticks == node.start_ticks;
}

/// How the prime has its nodes; nothing: it does not answer yet.
std::optional<std::vector<NodeStanding>> standing_of(const fs::path& run) {
  const auto answer = ask_run(run / "control.sock", {{"command", "status"}}, answer_max);
  if (!answer) return std::nullopt;
  LiveStatus status;
  from_json(answer.value(), status);
  return status.nodes;
}

/// One launch, undone unless it is kept.
class Launch {
 public:
  Launch(const RunConfig& config, fs::path run) : config_(config), run_(std::move(run)) {}
  ~Launch() {
    if (kept_) return;
    end_children(children_, ending_max);
    std::error_code ignored;
    fs::remove_all(run_, ignored);
  }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  void start() {
    fs::create_directories(run_ / "nodes");
    if (!write_file(run_ / "nodes" / "config.json", effective_config(config_)))
      throw std::runtime_error(run_.string() + " can't be written");
    const auto certificates = certificates_of(config_, run_);
    if (config_.cluster.certificates.empty())
      if (const auto fault = make_certificates(config_, certificates))
        throw std::runtime_error(fault->sentence);
    std::vector<NodeProcess> processes;  // the prime's first, where it is of this machine
    auto nodes = local_nodes(config_);
    std::ranges::stable_partition(
        nodes, [](const NodeConfig& node) { return has_role(node, NodeRole::prime); });
    for (const auto& node : nodes) {
      const bool prime = has_role(node, NodeRole::prime);
      const auto folder = prime ? run_ : node_folder(run_, node.name);
      children_.push_back(start_child(
          node.name, node_command(run_ / "nodes" / "config.json", node.name, folder, certificates),
          node_folder(run_, node.name) / "output.txt", Bond::daemon));
      const auto process = children_.back().process;
      processes.push_back({node.name, static_cast<std::uint64_t>(process), start_ticks(process)});
    }
    if (!write_file(processes_of(run_), to_json(processes, Floats::plain).dump(2)))
      throw std::runtime_error(processes_of(run_).string() + " can't be written");
  }

  /// "": all are there. Else who is not, and why.
  std::string await_ready(const std::atomic<bool>& stop) {
    const auto deadline = std::chrono::steady_clock::now() +
                          std::chrono::milliseconds{config_.cluster.timeouts.ready_ms};
    std::string missing = "no node has answered";
    while (std::chrono::steady_clock::now() < deadline) {
      if (stop.load()) return "interrupted";
      for (const auto& child : children_)
        if (const auto code = ended(child))
          return child.name + " ended with exit " + std::to_string(*code) + ": " +
                 last_words(child.output);
      if (const auto nodes = standing_of(run_); nodes && !nodes->empty()) {
        std::vector<std::string> away;
        for (const auto& node : *nodes)
          if (node.state != "alive" && has_role(*node_named(config_, node.node), NodeRole::narsets))
            away.push_back(node.node);
        if (away.empty()) return "";
        missing = listed(away) + " did not come";
      }
      std::this_thread::sleep_for(look);
    }
    return missing + " within " + std::to_string(config_.cluster.timeouts.ready_ms) +
           " ms (cluster.timeouts.ready_ms)";
  }

  void keep() { kept_ = true; }

 private:
  const RunConfig& config_;
  fs::path run_;
  std::vector<ChildProcess> children_;
  bool kept_ = false;
};

void print_elsewhere(const RunConfig& config, const ConfigOptions& from) {
  std::vector<std::string> here;
  for (const auto& node : local_nodes(config)) here.push_back(node.name);
  for (const auto& node : config.nodes)
    if (std::ranges::find(here, node.name) == here.end())
      std::cout << "on " << node.address << ":  esper node " << from.config.string() << " --name "
                << node.name << '\n';
}

}  // namespace

ExitCode command_up(const UpOptions& options) {
  const auto& stop = stop_on_signals();
  const auto config = config_or_mistakes(options.from);
  if (!config) return ExitCode::usage;
  if (config->nodes.empty()) {
    std::cerr << options.from.config.string() << " has no nodes: esper run trains it\n";
    return ExitCode::usage;
  }
  if (const auto fault = RunDirectory::check(options.out)) {
    std::cerr << fault->sentence << '\n';
    return ExitCode::usage;
  }
  const auto run =
      fs::absolute(options.out.empty() ? RunDirectory::next_free(config->name) : options.out);
  Launch launch(*config, run);
  launch.start();
  print_elsewhere(*config, options.from);
  std::cout << std::flush;
  if (const auto why = launch.await_ready(stop); !why.empty()) {
    std::cerr << why << '\n';
    return stop.load() ? ExitCode::interrupted : ExitCode::unreachable;
  }
  launch.keep();
  std::cout << run.string() << '\n';
  return ExitCode::fine;
}

ExitCode command_down(const DownOptions& options) {
  const auto processes = read_processes(options.directory);
  if (processes.empty()) {
    std::cerr << options.directory.string()
              << " was not started by esper up: " << processes_of(options.directory).string()
              << " is missing\n";
    return ExitCode::usage;
  }
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds{options.wait_ms};
  const auto living = [&] {
    std::vector<std::string> names;
    for (const auto& node : processes)
      if (lives(node)) names.push_back(node.node);
    return names;
  };
  const auto end = [&](const NodeProcess& node) {
    if (lives(node)) ::kill(static_cast<pid_t>(node.process), SIGTERM);
  };
  // The prime first: it closes its journal, ends the replicas' training and says farewell.
  const auto& prime = processes.front();
  end(prime);
  while (lives(prime) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(look);
  for (const auto& node : processes) end(node);
  while (!living().empty() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(look);
  const auto left = living();
  for (const auto& node : processes)
    if (lives(node)) ::kill(static_cast<pid_t>(node.process), SIGKILL);
  std::error_code ignored;
  fs::remove_all(options.directory / "certificates", ignored);
  fs::remove(processes_of(options.directory), ignored);
  if (left.empty()) return ExitCode::fine;
  std::cerr << listed(left) << " had to be killed after " << options.wait_ms << " ms\n";
  return ExitCode::degraded;
}

ExitCode command_drain(const DrainOptions& options) {
  const auto answer = ask_run(options.directory / "control.sock",
                              {{"command", "drain"}, {"node", options.node}}, answer_max);
  if (answer) {
    std::cout << "the Narsets of " << options.node << " move\n";
    return ExitCode::fine;
  }
  std::cerr << answer.refusal().sentence << '\n';
  return answer.refusal().problem == ControlProblem::unreachable ? ExitCode::unreachable
                                                                 : ExitCode::usage;
}

}  // namespace esper
