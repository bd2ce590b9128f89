#include "sim/simulation.hpp"

#include <chrono>

#include "actors/control_tree.hpp"
#include "actors/lane_books.hpp"
#include "messages/json.hpp"
#include "runtime/launch.hpp"
#include "runtime/replay.hpp"
#include "sim/checkers.hpp"
#include "sim/digest.hpp"
#include "sim/host.hpp"
#include "sim/injector.hpp"
#include "sim/nodes.hpp"
#include "sim/tracer.hpp"

namespace esper::sim {

namespace {

constexpr std::uint64_t window_ms = 1'000;
constexpr std::uint64_t grafts_min = 20, surgeries_min = 3;
/// The last turn, its commands and the supervisor's last restarts.
constexpr std::uint64_t settling_ms = 5'000;
/// A trainer that stands still for so long between two faults has stopped.
constexpr std::uint64_t patience_ms = 120'000;

class CountedMetrics final : public Metrics {
 public:
  explicit CountedMetrics(Coverage& coverage) : coverage_(coverage) {}
  void add(std::string_view name, std::string_view role, std::string_view, double amount) override {
    if (name == "esper_breaker_openings_total")
      coverage_.count("breaker/" + std::string{role}, static_cast<std::uint64_t>(amount));
  }
  void set(std::string_view, std::string_view, std::string_view, double) override {}
  void observe(std::string_view, std::string_view, double) override {}

 private:
  Coverage& coverage_;
};

class TracedLog final : public Log {
 public:
  explicit TracedLog(Tracer& tracer) : tracer_(tracer) {}
  void write(LogLevel level, std::string_view event, std::string_view details) override {
    if (event == "dead_letter") {
      const auto letter = parsed<DeadLetter>(details);
      dead_letters_[letter.lane] += letter.count;
    }
    if (level >= LogLevel::warning) tracer_.logged(event, details);
  }
  [[nodiscard]] std::uint64_t dead_letters(const std::string& lane) { return dead_letters_[lane]; }

 private:
  Tracer& tracer_;
  std::map<std::string, std::uint64_t> dead_letters_;
};

/// Everything of one run, in the order in which it ends.
class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options)
      : options_(options),
        config_(simulated_config(options.seed)),
        host_(simulated_host(options.regions)),
        catalogue_(simulated_catalogue(host_)),
        checkers_(config_, host_, catalogue_, result_.coverage),
        tracer_(options.events_kept, host_),
        disk_([this](const auto& entries) { written(entries); }),
        metrics_(result_.coverage),
        log_(tracer_),
        world_(options.seed),
        trainer_(world_, config_, host_, catalogue_,
                 {.windows = options.windows, .quiet_from_window = options.windows * 2 / 3},
                 checkers_),
        network_(world_, options.seed),
        injector_(world_, trainer_, disk_, desk_, result_.coverage, network_, options.regions) {
    open_journal();
    auto tree =
        make_control_tree(world_.system(), config_, host_,
                          {.executor = trainer_,
                           .journal = disk_,
                           .metrics = metrics_,
                           .log = log_,
                           .filter = [this](WindowReport& report) { injector_.spoil(report); },
                           .overrides = &desk_,
                           .virtual_time = true,
                           .planting = options.planting});
    context_ = tree.context;
    for (auto& child : tree.children)
      if (child.role != Role::narset) watch(child);
    nodes_.emplace(world_, network_, tree);
    injector_.use([this](const std::string& node, std::uint64_t duration_ms) {
      nodes_->lose(node, duration_ms);
    });
    supervisor_ = start_supervisor(world_.system(), context_, std::move(tree.children), counts_);
    world_.name(caf::actor_cast<caf::strong_actor_ptr>(supervisor_), {"supervisor", 1, "lead"});
    world_.before = [this](const WorldEvent& event) {
      checkers_.findings().at(event.at_ms);
      tracer_.message(event);
      injector_.before_message();
    };
    injector_.struck = [this](const Fault& fault) {
      tracer_.struck(world_.now_ms(), fault);
      if (fault.kind == FaultKind::kasmina_lies) checkers_.lied_to(region_of(fault));
    };
  }

  SimulationResult run() {
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t faults_until_ms = options_.windows * window_ms * 2 / 3;
    result_.faults = faults_of(options_);
    injector_.schedule(result_.faults);
    world_.at(faults_until_ms, [this] { injector_.heal(); });
    trainer_.begin();
    run_to_the_end();
    judge();
    tell();
    result_.real_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return std::move(result_);
  }

 private:
  void written(const std::vector<JournalEntry>& entries) {
    tracer_.written(world_now(), entries);
    checkers_.committed(entries);
  }
  /// The opening is written before there is a world.
  [[nodiscard]] std::uint64_t world_now() const { return opened_ ? world_.now_ms() : 0; }

  void open_journal() {
    disk_.open(opening_entries(config_, host_, catalogue_, 1));
    opened_ = true;
  }

  void watch(Child& child) {
    const std::string name{esper::name_of(child.role)};
    child.start = [this, name, start = std::move(child.start)](caf::local_actor& parent,
                                                               Epoch epoch) {
      const auto actor = start(parent, epoch);
      world_.name(actor, {name, epoch.value, "lead"});
      return actor;
    };
  }

  /// In steps of a virtual second, so that a trainer that stands still is seen.
  void run_to_the_end() {
    Window newest;
    std::uint64_t moved_ms = 0;
    while (!trainer_.done()) {
      world_.run_until(world_.now_ms() + window_ms);
      if (trainer_.window() > newest) {
        newest = trainer_.window();
        moved_ms = world_.now_ms();
      }
      if (world_.now_ms() > moved_ms + patience_ms) {
        checkers_.findings().report(
            "TRAIN-1", "the trainer stands still after window " + std::to_string(newest.value));
        break;
      }
    }
    world_.run_until(world_.now_ms() + settling_ms);
  }

  /// In reverse order, each before the next, as at the end of a run.
  void stop() {
    world_.before = {};
    caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
    supervisor_ = nullptr;
    world_.run_until(world_.now_ms() + settling_ms);
    nodes_.reset();
  }

  void judge() {
    auto& findings = checkers_.findings();
    checkers_.finish(trainer_.window());
    for (const auto& text : world_.escaped()) findings.report("SUPERVISION", text);
    if (counts_->gave_up) findings.report("LIVENESS", "a role's breaker is open at the end");
    if (options_.must_happen && checkers_.grafts() < grafts_min)
      findings.report("COVERAGE", "only " + std::to_string(checkers_.grafts()) + " grafts");
    if (options_.must_happen && checkers_.surgeries() < surgeries_min)
      findings.report("COVERAGE", "only " + std::to_string(checkers_.surgeries()) + " surgeries");
    result_.hash = tracer_.hash();
    result_.events = world_.events();
    result_.virtual_ms = world_.now_ms();
    result_.restarts = counts_->restarts;
    stop();
    check_lanes();
    audit();
  }

  void tell() {
    result_.seed = options_.seed;
    const auto& states = injector_.states();
    for (std::uint32_t place = 0; place < states.size(); ++place)
      if (!states[place].fired) result_.unfired.push_back(place);
    result_.violations = checkers_.findings().found();
    result_.grafts = checkers_.grafts();
    result_.surgeries = checkers_.surgeries();
    result_.entries = disk_.entries().size();
    result_.lines = tracer_.lines();
  }

  /// Each letter is counted once, and none dies in silence.
  void check_lanes() {
    for (LaneQueue* lane : context_->lanes.all()) {
      (void)report_lane(*context_, *lane);
      const auto counts = lane->counts();
      if (counts.sent != counts.delivered + counts.collapsed + counts.dead + counts.waiting)
        checkers_.findings().report("LANES", lane->name() + " lost a letter");
      if (log_.dead_letters(lane->name()) != counts.dead)
        checkers_.findings().report("LANES", lane->name() + ": " + std::to_string(counts.dead) +
                                                 " letters died, told of " +
                                                 std::to_string(log_.dead_letters(lane->name())));
    }
  }

  void audit() {
    const auto again = replay(disk_.entries(), options_.planting);
    if (again.first)
      checkers_.findings().report(
          "AUDIT-1", "window " + std::to_string(again.first->window.value) + ": entry " +
                         std::to_string(again.first->sequence) + " (" + again.first->kind +
                         ") is not what its inputs make, at " + again.first->fields.front().place +
                         ": " + again.first->fields.front().journalled + " and " +
                         again.first->fields.front().replayed);
  }

  SimulationOptions options_;
  SimulationResult result_;
  RunConfig config_;
  HostDescription host_;
  Catalogue catalogue_;
  Checkers checkers_;
  Tracer tracer_;
  SimulatedDisk disk_;
  CountedMetrics metrics_;
  TracedLog log_;
  OverrideDesk desk_;
  World world_;
  SimulatedTrainer trainer_;
  Network network_;
  Injector injector_;
  std::shared_ptr<SupervisionCounts> counts_ = std::make_shared<SupervisionCounts>();
  ControlContextPtr context_;
  SupervisorHandle supervisor_;
  std::optional<Nodes> nodes_;
  bool opened_{};
};

}  // namespace

SimulationResult simulate(const SimulationOptions& options) { return Simulation(options).run(); }

std::vector<Fault> faults_of(const SimulationOptions& options) {
  if (options.faults) return *options.faults;
  return drawn_faults(options.seed, options.regions, options.windows * window_ms * 2 / 3);
}

}  // namespace esper::sim
