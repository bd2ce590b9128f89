// `esper node`: one node of a run, in the foreground.
#include <cstdlib>
#include <iostream>

#include "runtime/cluster/cluster_config.hpp"
#include "runtime/cluster/follower.hpp"
#include "runtime/cluster/local_nodes.hpp"
#include "runtime/cluster/node_life.hpp"
#include "runtime/commands.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/listed.hpp"
#include "runtime/progress.hpp"
#include "runtime/telemetry_export.hpp"
#include "runtime/training_run.hpp"

namespace esper {

namespace {

constexpr std::chrono::milliseconds metrics_interval{1'000};

/// The whole run, with the other nodes wherever they are.
ExitCode be_prime(const RunConfig& config, const NodeOptions& options,
                  const std::atomic<bool>& stop) {
  const auto library = load_gpu_library();
  if (!library) {
    std::cerr << library.refusal().sentence << '\n';
    return ExitCode::failed;
  }
  const auto directory = RunDirectory::create(config, options.out);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::usage;
  }
  std::cerr << "seed " << config.seed << " in " << directory.value().path().string() << '\n';
  ProgressLine progress;
  const auto report = train_and_report(config, *library.value(), directory.value(), stop, progress,
                                       {.resume = false, .certificates = options.certificates});
  if (!report.error.empty()) std::cerr << report.error << '\n';
  print_summary(std::cout, report);
  return stop ? ExitCode::interrupted : static_cast<ExitCode>(report.exit);
}

/// What a replica came to, in the node's own folder.
void write_replica(const std::filesystem::path& folder, const Follower::End& end) {
  const nlohmann::json json{
      {"error", end.error}, {"steps", end.model.steps}, {"weights_hash", end.model.weights_hash}};
  (void)write_file(folder / "replica.json", json.dump(2) + "\n");
}

struct Served {
  ExitCode code{};
  bool still_trains{};  ///< the replica: only the process's end ends it
};

Served serve(const RunConfig& config, const NodeConfig& node, const NodeOptions& options,
             const std::atomic<bool>& stop) {
  std::error_code ignored;
  std::filesystem::create_directories(options.out, ignored);
  JsonLog log(options.out / "esper.log");
  RegistryMetrics metrics;
  const MetricsFile file(options.out / "metrics.jsonl", metrics, metrics_interval);
  const auto tell = [](const std::string& sentence) { std::cerr << sentence << std::endl; };
  std::unique_ptr<Follower> follower;
  if (const auto place = replica_of(config, node)) {
    const auto library = load_gpu_library();
    if (!library) {
      tell(library.refusal().sentence);
      return {ExitCode::failed, false};
    }
    follower = std::make_unique<Follower>(
        config, *place, *library.value(), log, [&](const Follower::End& end) {
          write_replica(options.out, end);
          tell(end.error.empty()
                   ? "the replica has ended at step " + std::to_string(end.model.steps)
                   : end.error);
        });
  }
  const auto ending =
      serve_as_node({config, options.name, options.certificates}, stop, metrics, log, tell);
  Served served{ending.end == NodeEnd::not_let_in ? ExitCode::unreachable : ExitCode::fine, false};
  if (served.code != ExitCode::fine) tell(ending.why);
  if (follower && !follower->wait(std::chrono::milliseconds{config.cluster.timeouts.request_ms})) {
    log.write(LogLevel::warning, "replica_leaves", "");
    static_cast<void>(follower.release());
    served.still_trains = true;
  }
  return served;
}

}  // namespace

ExitCode command_node(const NodeOptions& given) {
  const auto& stop = stop_on_signals();
  const auto config = config_or_mistakes(given.from);
  if (!config) return ExitCode::usage;
  const auto* node = node_named(*config, given.name);
  if (node == nullptr) {
    std::vector<std::string> names;
    for (const auto& one : config->nodes) names.push_back(one.name);
    std::cerr << given.from.config.string() << " has no node \"" << given.name
              << "\": " << (names.empty() ? "it has none at all" : "name one of " + listed(names))
              << '\n';
    return ExitCode::usage;
  }
  NodeOptions options = given;
  if (options.certificates.empty()) options.certificates = config->cluster.certificates;
  if (options.certificates.empty()) {
    std::cerr << "the node has no certificates: name their folder with --certificates or in "
                 "cluster.certificates\n";
    return ExitCode::usage;
  }
  if (options.out.empty())
    options.out = std::filesystem::path{"runs"} / (config->name + "-" + node->name);
  if (has_role(*node, NodeRole::prime)) return be_prime(*config, options, stop);
  const auto served = serve(*config, *node, options, stop);
  if (served.still_trains) std::_Exit(number_of(served.code));
  return served.code;
}

}  // namespace esper
