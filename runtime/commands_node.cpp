// `esper node`: one node of a run, in the foreground.
#include <cstdlib>
#include <iostream>

#include "runtime/cluster/attached_training.hpp"
#include "runtime/cluster/ballot.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/cluster/local_nodes.hpp"
#include "runtime/cluster/node_life.hpp"
#include "runtime/cluster/witness_desk.hpp"
#include "runtime/commands.hpp"
#include "runtime/gpu_library.hpp"
#include "runtime/interrupts.hpp"
#include "runtime/listed.hpp"
#include "runtime/progress.hpp"
#include "runtime/resume.hpp"
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
  // Started again, as after its death: it goes on with its run.
  std::error_code ignored;
  const bool resume = std::filesystem::exists(options.out / "config.json", ignored);
  const auto directory =
      resume ? RunDirectory::resume(options.out) : RunDirectory::create(config, options.out);
  if (!directory) {
    std::cerr << directory.refusal().sentence << '\n';
    return ExitCode::usage;
  }
  if (const auto why = resume ? begin_again(directory.value()) : ""; !why.empty()) {
    std::cerr << why << '\n';
    return ExitCode::usage;
  }
  std::cerr << "seed " << config.seed << " in " << directory.value().path().string() << '\n';
  ProgressLine progress;
  const auto report = train_and_report(config, *library.value(), directory.value(), stop, progress,
                                       {.resume = resume, .certificates = options.certificates});
  if (!report.error.empty()) std::cerr << report.error << '\n';
  print_summary(std::cout, report);
  return stop ? ExitCode::interrupted : static_cast<ExitCode>(report.exit);
}

/// What a replica came to, in the node's own folder.
void write_replica(const std::filesystem::path& folder, const Follower::End& end) {
  const nlohmann::json json{{"error", end.error},
                            {"steps", end.training.model.steps},
                            {"weights_hash", end.training.model.weights_hash}};
  (void)write_file(folder / "replica.json", json.dump(2) + "\n");
}

struct Served {
  ExitCode code{};
  bool still_trains{};  ///< the replica: only the process's end ends it
};

/// One node that is not the prime, or not yet.
class NodeRun {
 public:
  NodeRun(const RunConfig& config, const NodeConfig& node, const NodeOptions& options,
          const std::atomic<bool>& stop)
      : config_(config),
        node_(node),
        options_(options),
        identity_{config, options.name, options.certificates},
        stop_(stop),
        log_(log_of(options.out)) {}

  Served serve() {
    if (!begin()) return {ExitCode::failed, false};
    const NodeSeams seams{.stop = stop_,
                          .metrics = metrics_,
                          .log = log_,
                          .tell = tell,
                          .lost =
                              [this](const std::string& lost) {
                                if (follower_) follower_->lose(lost);
                              },
                          .asked = answers_of_witness()};
    const auto ending = serve_as_node(identity_, seams);
    Served served{ending.end == NodeEnd::not_let_in ? ExitCode::unreachable : ExitCode::fine,
                  false};
    if (served.code != ExitCode::fine) tell(ending.why);
    if (ending.lead != nullptr) served.code = lead(*ending.lead);
    const std::chrono::milliseconds patience{config_.cluster.timeouts.request_ms};
    if (follower_ && !follower_->wait(patience)) {
      log_.write(LogLevel::warning, "replica_leaves", "");
      static_cast<void>(follower_.release());
      served.still_trains = true;
    }
    return served;
  }

 private:
  static std::filesystem::path log_of(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    return folder / "esper.log";
  }
  static void tell(const std::string& sentence) { std::cerr << sentence << std::endl; }

  /// For the run, should it lead: beside those of its lives before.
  [[nodiscard]] std::filesystem::path free_folder() const {
    auto folder = options_.out / "run";
    for (int life = 2; std::filesystem::exists(folder); ++life)
      folder = options_.out / ("run-" + std::to_string(life));
    return folder;
  }

  /// A node that does not train has a vote of its own.
  [[nodiscard]] std::function<std::string(const std::string&)> answers_of_witness() {
    if (has_role(node_, NodeRole::trainer)) return {};
    const auto desk =
        std::make_shared<WitnessDesk>(config_, node_.name, options_.out / "votes.json", log_);
    return [desk](const std::string& question) { return desk->answer(question); };
  }

  /// Its replica trains from now on, if it has one. False: it can't, and that was told.
  bool begin() {
    auto place = replica_of(identity_);
    if (!place) return true;
    place->leads = false;  // whatever it was before
    const auto library = load_gpu_library();
    if (!library) {
      tell(library.refusal().sentence);
      return false;
    }
    library_ = library.value();
    FollowerSeams seams{.factory = *library_, .log = log_, .tell = tell};
    if (has_role(node_, NodeRole::standby)) {
      auto made = RunDirectory::create(config_, free_folder());
      if (!made) {
        tell(made.refusal().sentence);
        return false;
      }
      directory_.emplace(std::move(made.value()));
      seams.checkpoints = directory_->checkpoints().string();
    }
    follower_ =
        std::make_unique<Follower>(config_, *place, seams, [this](const Follower::End& end) {
          write_replica(options_.out, end);
          tell(end.error.empty()
                   ? "the replica has ended at step " + std::to_string(end.training.model.steps)
                   : end.error);
        });
    return true;
  }

  /// The prime is lost: this node has the journal, and goes on with the run beside its replica.
  ExitCode lead(StoodBy& lead) {
    tell("leads the run from now on, in " + directory_->path().string());
    AttachedFactory factory(*library_, *follower_);
    ProgressLine progress;
    const auto report = train_and_report(config_, factory, *directory_, stop_, progress,
                                         {.resume = false,
                                          .certificates = options_.certificates,
                                          .node = node_.name,
                                          .lead = &lead});
    if (!report.error.empty()) tell(report.error);
    print_summary(std::cout, report);
    return stop_ ? ExitCode::interrupted : static_cast<ExitCode>(report.exit);
  }

  const RunConfig& config_;
  const NodeConfig& node_;
  const NodeOptions& options_;
  const NodeIdentity identity_;
  const std::atomic<bool>& stop_;
  JsonLog log_;
  RegistryMetrics metrics_;
  const MetricsFile file_{options_.out / "metrics.jsonl", metrics_, metrics_interval};
  TrainingFactory* library_{};             ///< of a trainer
  std::optional<RunDirectory> directory_;  ///< of a standby
  std::unique_ptr<Follower> follower_;     ///< of a trainer; last: it uses the others
};

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
  if (has_role(*node, NodeRole::prime)) {
    if (!led_by_another({*config, options.name, options.certificates}))
      return be_prime(*config, options, stop);
    std::cerr << "another node leads the run: " << options.name << " follows\n";
  }
  const auto served = NodeRun(*config, *node, options, stop).serve();
  if (served.still_trains) std::_Exit(number_of(served.code));
  return served.code;
}

}  // namespace esper
