#include "runtime/training_run.hpp"

#include <algorithm>
#include <iostream>

#include "actors/decisions/host_catalogue.hpp"
#include "messages/failpoint.hpp"
#include "messages/json.hpp"
#include "runtime/cluster/ballot.hpp"
#include "runtime/cluster/cluster_config.hpp"
#include "runtime/cluster/local_nodes.hpp"
#include "runtime/cluster/prime_side.hpp"
#include "runtime/commands.hpp"
#include "runtime/control/control_handler.hpp"
#include "runtime/database_error.hpp"
#include "runtime/export/model_files.hpp"
#include "runtime/launch.hpp"
#include "runtime/listed.hpp"
#include "runtime/report_page.hpp"
#include "runtime/resume.hpp"
#include "runtime/run_journal.hpp"
#include "runtime/telemetry_export.hpp"
#include "runtime/trained_arm.hpp"
#include "runtime/uncut_run.hpp"

namespace esper {
namespace {

constexpr std::chrono::milliseconds metrics_interval{1'000};
constexpr const char* uncut_name = "grown_uncut";  ///< an arm, and its folder in the run's

std::vector<std::string> names_of(const std::vector<Counted>& counted) {
  std::vector<std::string> names(counted.size());
  std::transform(counted.begin(), counted.end(), names.begin(), [](auto& one) { return one.what; });
  return names;
}

class TrainingRun {
 public:
  TrainingRun(const RunConfig& config, TrainingFactory& factory, const RunDirectory& directory,
              const std::atomic<bool>& stop, ProgressLine& progress, RunStart start)
      : config_(config),
        factory_(factory),
        directory_(directory),
        stop_(stop),
        progress_(progress),
        start_(std::move(start)),
        metrics_file_(directory.metrics(), metrics_, metrics_interval),
        log_(directory.log()),
        live_(config, [this] { return names_of(metrics_.positive("esper_breaker_open")); },
              {[this] { return standing(); },
               [this](const std::string& node) {
                 return prime_ ? prime_->drain(node) : "the run has no other nodes";
               }}) {
    report_.version = version_number();
    report_.seed = config.seed;
    report_.pace = config.pace.mode;
    report_.name = config.name;
    report_.mode = config.mode;
    report_.window_steps = config.time.window_steps;
    report_.cycle_windows = config.time.cycle_windows;
  }

  RunReport execute() {
    const bool resume = start_.resume;
    auto made = make_journal();
    if (!made) {
      const bool damaged = resume && made.refusal().problem == JournalProblem::not_a_journal;
      fail(damaged ? ExitCode::invariant : ExitCode::failed, made.refusal().sentence);
      return finish(nullptr);
    }
    journal_ = std::move(made.value());
    auto& journal = *journal_;
    if (resume && !choose_where_to_go_on(journal)) return finish(nullptr);
    if (start_.lead != nullptr) go_on_with_lead(journal);
    journal.watch(metrics_, log_);
    journal.set_follower([this](const auto& entries) { live_.appended(entries); });
    try {
      join_nodes();
      const ControlServer server(directory_.control_socket(), control_handler(live_));
      const LiveScope ends(live_);  // before the server: what waits there is let go
      train_grown(journal);
      train_baselines();
      measure();
    } catch (const InvariantViolation& error) {
      fail(ExitCode::invariant, error.what());
    } catch (const NodesMissing& error) {
      fail(ExitCode::unreachable, error.what());
    } catch (const std::exception& error) {
      fail(ExitCode::failed, error.what());
    }
    progress_.end();
    return finish(&journal);
  }

  /// A role's handler never ended: it may touch whatever it was given until the process ends.
  [[nodiscard]] bool blocked() const { return blocked_; }

 private:
  static void tell(const std::string& sentence) { std::cerr << sentence << '\n'; }
  void told(const std::string& sentence) {
    log_.write(LogLevel::warning, "replica_says", nlohmann::json{{"sentence", sentence}}.dump());
    live_.replicas_say(sentence);
    tell(sentence);
  }

  void fail(ExitCode code, const std::string& error) {
    report_.exit = number_of(code);
    report_.error = error;
    if (report_.weights_hash.empty()) report_.first_irreproducible = "the run ended early";
    log_.write(LogLevel::error, "run_failed", nlohmann::json{{"error", error}}.dump());
  }

  MadeJournal make_journal() {
    if (start_.lead != nullptr) return std::move(start_.lead->journal);
    return start_.resume ? resume_journal(config_, directory_)
                         : create_journal(config_, directory_);
  }

  /// Its training stands behind the journal's last window, in this process.
  void go_on_with_lead(JournalBook& journal) {
    if (!keep_run_name(directory_, start_.lead->run))
      log_.write(LogLevel::error, "run_name_not_kept", "");
    live_.appended(journal.read_all());
    resume_ = ResumePoint{.checkpoint = "", .window = journal.last_window(), .attached = true};
    log_.write(LogLevel::warning, "leads",
               nlohmann::json{{"window", journal.last_window().value}}.dump());
  }

  /// False: it can't go on, and the report says why.
  bool choose_where_to_go_on(JournalBook& journal) {
    live_.appended(journal.read_all());
    auto point =
        go_on_from(factory_.checkpoints(directory_.checkpoints().string()), journal, log_, tell);
    if (point)
      resume_ = point.value();
    else
      fail(point.refusal().exit, point.refusal().sentence);
    return static_cast<bool>(point);
  }

  /// Of a config with nodes this process is the prime.
  void join_nodes() {
    const auto* own = start_.node.empty() ? prime_of(config_) : node_named(config_, start_.node);
    if (own == nullptr) return;
    NodeIdentity identity{config_, own->name, start_.certificates};
    if (identity.certificates.empty())
      identity.certificates = certificates_of(config_, directory_.path());
    prime_.emplace(
        identity,
        PrimeStart{.journal_run = run_name_of(directory_), .takes_over = start_.lead != nullptr},
        log_, stop_);
    replica_ = replica_of(identity);
  }

  [[nodiscard]] std::vector<NodeStanding> standing() const {
    return prime_ ? prime_->standing() : std::vector<NodeStanding>{};
  }

  void train_grown(JournalBook& journal) {
    log_.write(LogLevel::info, "run_begins", nlohmann::json{{"seed", config_.seed}}.dump());
    auto& arm = arms_.emplace_back();
    progress_.begin("grown", directory_.journal());
    const auto tell_progress = [&](const TrainingProgress& now) {
      progress_.tell(now, arm.training.get());
      live_.trains("grown", now);
      metrics_.set("esper_step", "tolaria", "", static_cast<double>(now.step.value));
      metrics_.set("esper_training_loss_nats", "tolaria", "", now.loss);
      metrics_file_.at(now.step);
    };
    const auto result = launch_grown(config_,
                                     {.factory = factory_,
                                      .journal = journal,
                                      .metrics = metrics_,
                                      .log = log_,
                                      .checkpoints = directory_.checkpoints().string(),
                                      .resume = resume_,
                                      .overrides = &live_.overrides(),
                                      .chaos = &live_.chaos(),
                                      .cluster = prime_ ? &*prime_ : nullptr,
                                      .replica = replica_,
                                      .tell = [this](const std::string& text) { told(text); }},
                                     stop_, tell_progress, arm.training);
    live_.close();
    progress_.end();
    report_.nodes = standing();
    arm.model = result.grown.model;
    arm.window_losses = result.grown.window_losses;
    shape_ = {result.grown.widths, result.grown.planted, result.grown.cut};
    report_.journal_hash = result.decision_hash;
    report_.weights_hash = arm.model.weights_hash;
    report_.first_irreproducible = result.first_irreproducible;
    if (result.degraded && report_.first_irreproducible.empty())
      report_.first_irreproducible = "the last turns are missing from the journal";
    report_.reproducible = report_.first_irreproducible.empty();
    metrics_file_.at(Step{arm.model.steps});
    if (result.broken.empty())
      report_.model = write_model(*arm.training, result.grown, directory_.path());
    if (result.degraded) report_.exit = number_of(ExitCode::degraded);
    note_blocked(result);
    if (!result.broken.empty()) throw InvariantViolation(result.broken);
    if (result.grown.interrupted || stop_) report_.exit = number_of(ExitCode::interrupted);
  }

  void note_blocked(const LaunchResult& result) {
    if (result.blocked.empty()) return;
    blocked_ = true;
    report_.error = "the tree's stop was blocked by " + listed(result.blocked);
  }

  /// Both files, or neither is named in the report.
  std::optional<ModelFiles> write_model(Training& training, const TrainingEnd& end,
                                        const std::filesystem::path& folder) {
    auto written = write_model_files(config_, training, end, folder);
    if (written) return std::move(written.value());
    report_.exit = number_of(ExitCode::failed);
    report_.error = written.refusal().sentence;
    return std::nullopt;
  }

  /// The same steps, data order and seed, without any controller.
  void train_baselines() {
    if (config_.mode == Mode::off) return;  // the grown arm is the host alone already
    if (config_.baselines.uncut && config_.compaction.enabled) train_uncut();
    const auto& model = config_.model;
    const auto parameters = arms_.back().model.parameters;  // what growth alone came to, if known
    if (config_.baselines.host) train_baseline("host", Shape{});
    if (config_.baselines.widened)
      train_baseline("widened", {widened(model.host, model.size, parameters), {}, false});
    if (config_.baselines.scratch && shape_.cut) train_baseline("scratch", shape_);
  }

  /// The whole system again, its decisions in a journal of their own, that never cuts.
  void train_uncut() {
    if (stop_) return;
    auto config = config_;
    config.compaction.enabled = false;
    config.training.steps_max = static_cast<std::uint32_t>(arms_.front().model.steps);
    const auto folder = directory_.path() / uncut_name;
    std::filesystem::remove_all(folder);  // what a process that was killed left of it
    const auto directory = RunDirectory::create(config, folder);
    if (!directory) return fail(ExitCode::failed, directory.refusal().sentence);
    auto made = create_journal(config, directory.value());
    if (!made) return fail(ExitCode::failed, made.refusal().sentence);
    auto& uncut = *(uncut_ = std::make_unique<UncutRun>(std::move(config), std::move(made.value()),
                                                        directory.value().log()));
    uncut.journal->watch(uncut.metrics, uncut.log);
    TrainedArm arm;
    progress_.begin(uncut_name, directory.value().journal());
    const auto result = launch_grown(
        uncut.config,
        {.factory = factory_,
         .journal = *uncut.journal,
         .metrics = uncut.metrics,
         .log = uncut.log},
        stop_,
        [&](const TrainingProgress& now) {
          progress_.tell(now, arm.training.get());
          live_.trains(uncut_name, now);
        },
        arm.training);
    progress_.end();
    if (result.degraded) report_.exit = number_of(ExitCode::degraded);
    note_blocked(result);
    if (!result.blocked.empty()) {
      uncut.training = std::move(arm.training);
      return;
    }
    if (!result.broken.empty()) throw InvariantViolation(result.broken);
    if (const auto seal = uncut.journal->seal(); !seal)
      fail(ExitCode::degraded, seal.refusal().sentence);
    write_model(*arm.training, result.grown, folder);
    keep_baseline(std::move(arm), result.grown, uncut_name);
  }

  void train_baseline(const std::string& name, const Shape& shape) {
    if (stop_) return;
    TrainingRequest request{config_, name, shape.widths, shape.planted, {}};
    request.config.mode = Mode::off;
    request.config.training.steps_max = static_cast<std::uint32_t>(arms_.front().model.steps);
    TrainedArm arm{{}, factory_.make(request), {}};
    progress_.begin(name, {});
    auto* training = arm.training.get();
    const auto end = arm.training->run(stop_, [&](const TrainingProgress& now) {
      progress_.tell(now, training);
      live_.trains(name, now);
    });
    progress_.end();
    keep_baseline(std::move(arm), end, name);
  }

  void keep_baseline(TrainedArm arm, const TrainingEnd& end, const std::string& name) {
    if (end.interrupted) {  // half a baseline compares with nothing
      report_.exit = number_of(ExitCode::interrupted);
      return;
    }
    arm.model = end.model;
    arm.model.arm = name;
    arm.window_losses = end.window_losses;
    arms_.push_back(std::move(arm));
  }

  void measure() {
    if (stop_) return;
    std::vector<Training*> trained;
    std::vector<TrainedModel*> models;
    for (auto& arm : arms_) {
      trained.push_back(arm.training.get());
      models.push_back(&arm.model);
    }
    std::unique_ptr<Training> before;
    if (shape_.cut) {  // latency does not ask what the weights are
      TrainingRequest request{config_, "uncut", {}, shape_.planted, {}};
      request.config.mode = Mode::off;
      before = factory_.make(request);
      trained.push_back(before.get());
      models.push_back(&report_.uncut.emplace());
      report_.uncut->arm = "uncut";
    }
    factory_.measure_latency(trained, models);
  }

  RunReport finish(JournalBook* journal) {
    // Baselines first, the model that this is about last.
    std::rotate(arms_.begin(), arms_.begin() + (arms_.empty() ? 0 : 1), arms_.end());
    for (const auto& arm : arms_) {
      if (arm.model.arm.empty()) continue;
      report_.arms.push_back(arm.model);
      report_.curves.push_back(curve_of(arm.model.arm, arm.window_losses, report_.window_steps));
    }
    report_.breakers = metrics_.positive("esper_breaker_open");
    if (journal != nullptr) close(*journal);
    pass(Failpoint::report);
    conclude(report_);
    log_.write(LogLevel::info, "run_ends", nlohmann::json{{"exit", report_.exit}}.dump());
    const auto json = report_json(report_);
    write(directory_.report(), json);
    write(directory_.page(), report_page(json, {}));
    return std::move(report_);
  }

  void write(const std::filesystem::path& file, const std::string& text) {
    if (write_file(file, text)) return;
    report_.exit = number_of(ExitCode::failed);
    report_.error = file.string() + " can't be written";
  }

  void close(JournalBook& journal) try {
    report_.account = account_of(journal.read_all(), config_.time.cycle_windows);
    for (const auto& surgery : report_.account.surgeries)
      if (report_.uncut && report_.uncut->parameters == 0 && surgery.result == "kept") {
        report_.uncut->parameters = surgery.parameters_before;
        report_.uncut->operations = surgery.operations_before;
      }
    if (report_.journal_hash.empty()) report_.journal_hash = journal.decision_hash();
    const auto& energy = report_.account.energy;
    if (energy.minted != energy.available + energy.reserved + energy.spent + energy.lapsed)
      fail(ExitCode::invariant, "LEDGER-1: the energy's sum does not hold");
    const auto seal = journal.seal();
    if (seal)
      report_.seal = seal.value();
    else if (report_.error.empty())
      fail(ExitCode::degraded, seal.refusal().sentence);
  } catch (const DatabaseError& error) {
    fail(ExitCode::degraded, journal.place() + ": " + error.what());
  }

  const RunConfig& config_;
  TrainingFactory& factory_;
  const RunDirectory& directory_;
  const std::atomic<bool>& stop_;
  ProgressLine& progress_;
  const RunStart start_;
  RegistryMetrics metrics_;
  MetricsFile metrics_file_;
  JsonLog log_;
  std::optional<PrimeSide> prime_;  ///< of a config with nodes
  std::optional<ReplicaPlace> replica_;
  LiveRun live_;
  RunReport report_;
  std::vector<TrainedArm> arms_;
  Shape shape_;  ///< of the grown model
  std::optional<ResumePoint> resume_;
  std::unique_ptr<JournalBook> journal_;
  std::unique_ptr<UncutRun> uncut_;
  bool blocked_{};
};

}  // namespace

RunReport train_and_report(const RunConfig& config, TrainingFactory& factory,
                           const RunDirectory& directory, const std::atomic<bool>& stop,
                           ProgressLine& progress, const RunStart& start) {
  auto run = std::make_unique<TrainingRun>(config, factory, directory, stop, progress, start);
  auto report = run->execute();
  if (run->blocked()) static_cast<void>(run.release());  // only the process's end frees it
  return report;
}

}  // namespace esper
