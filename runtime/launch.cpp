#include "runtime/launch.hpp"

#include <algorithm>
#include <thread>

#include "actors/cluster_side.hpp"
#include "actors/control_plane.hpp"
#include "actors/decisions/blueprint_catalogue.hpp"
#include "messages/logical_config.hpp"
#include "runtime/catch_up.hpp"
#include "runtime/journal_kinds.hpp"

namespace esper {

namespace {

/// Longer than any turn takes; past it the run says that it ended degraded.
constexpr std::chrono::milliseconds last_turn_patience{10'000};

std::string irreproducible(const RunConfig& config, const TrainingEnd& end,
                           const ControlEnd& control, const JournalBook& journal) {
  // Of earlier processes of this run, too.
  std::uint64_t restarts = 0, overrides = 0, faults = 0;
  for (const auto& entry : journal.read_all()) {
    restarts += entry.kind == Restart::schema.name ? 1 : 0;
    overrides += entry.kind == Override::schema.name ? 1 : 0;
    faults += entry.kind == InjectedFault::schema.name ? 1 : 0;
  }
  if (faults > 0) return std::to_string(faults) + " faults were injected";
  if (end.stalled) return "a turn stalled past pace.stall_ms_max and the run fell to free";
  if (end.late_turns > 0) return std::to_string(end.late_turns) + " turns came late";
  restarts = std::max(restarts, control.restarts);
  if (restarts > 0) return std::to_string(restarts) + " actors were restarted";
  if (control.gave_up) return "a role gave up";
  if (overrides > 0) return std::to_string(overrides) + " overrides were given";
  if (end.interrupted) return "the run was interrupted";
  if (config.decisions.use_timing) return "decisions.use_timing is on";
  return "";
}

}  // namespace

std::vector<JournalEntry> opening_entries(const RunConfig& config, const HostDescription& host,
                                          const Catalogue& catalogue, std::uint64_t sequence) {
  const auto entry = [&](std::uint32_t ordinal, Role role, std::string_view kind,
                         std::string payload) {
    return JournalEntry{.sequence = sequence + ordinal,
                        .window = {},
                        .role = role,
                        .region = {},
                        .ordinal = ordinal,
                        .kind = std::string{kind},
                        .cause = 0,
                        .payload = std::move(payload),
                        .measured = ""};
  };
  return {entry(0, Role::tolaria, config_kind, logical_config(config)),
          entry(1, Role::tolaria, HostDescription::schema.name, canonical(host)),
          entry(2, Role::urza, Catalogue::schema.name, canonical(catalogue))};
}

void write_opening(JournalBook& journal, const RunConfig& config, const HostDescription& host,
                   const Catalogue& catalogue) {
  if (!journal.append(opening_entries(config, host, catalogue, journal.next_sequence())))
    throw std::runtime_error("the journal can't be written: " + journal.refusal());
}

std::vector<Blueprint> chosen_blueprints(const CatalogueConfig& config,
                                         const HostDescription& host) {
  std::vector<Blueprint> chosen;
  const auto has_place = [&](const Blueprint& blueprint) {
    return std::ranges::any_of(host.slots, [&](const auto& slot) { return fits(blueprint, slot); });
  };
  for (const auto& blueprint : built_in_blueprints())
    if (has_place(blueprint) &&
        (config.use.empty() || std::ranges::find(config.use, blueprint.name) != config.use.end()))
      chosen.push_back(blueprint);
  chosen.insert(chosen.end(), config.add.begin(), config.add.end());
  return chosen;
}

void check_opening(const JournalBook& journal, const RunConfig& config, const HostDescription& host,
                   const Catalogue& catalogue) {
  const auto opening_entries = journal.read(Window{0}, Window{0});
  const auto check = [&](std::string_view kind, const std::string& now, const char* why) {
    const bool same = std::ranges::any_of(opening_entries, [&](const JournalEntry& entry) {
      return entry.kind == kind && entry.payload == now;
    });
    if (!same)
      throw std::runtime_error("the run can't go on: its " + std::string{kind} +
                               " is not what stands in its journal (" + why + ")");
  };
  check(config_kind, logical_config(config), "config.json was changed");
  check(HostDescription::schema.name, canonical(host), "another version of esper wrote it");
  check(Catalogue::schema.name, canonical(catalogue),
        "another version of esper or of LibTorch, or another processor, measured it");
}

namespace {

/// True once either is. Neither side is asked to know of the other.
class EitherStop {
 public:
  /// `look`: asked now and then, too.
  EitherStop(const std::atomic<bool>& outside, std::function<void()> look)
      : thread_([this, &outside, look = std::move(look)](const std::stop_token& ended) {
          while (!ended.stop_requested() && !outside.load()) {
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
            look();
          }
          if (outside.load()) stop_ = true;
        }) {}
  void now() { stop_ = true; }
  [[nodiscard]] const std::atomic<bool>& flag() const { return stop_; }

 private:
  std::atomic<bool> stop_{false};
  std::jthread thread_;
};

/// The tree of actors; of a run that goes on it starts when the journal has been caught up with.
class RunningTree {
 public:
  RunningTree(const RunConfig& config, Training& training, const Catalogue& catalogue,
              const LaunchSeams& seams, EitherStop& stop)
      : config_(config), training_(training), host_(training.host()), seams_(seams), stop_(stop) {
    if (seams.cluster != nullptr)
      seams.cluster->tell_losses([&training](const std::string& node) { training.lose(node); });
    if (!seams.resume) {
      begin();
      return;
    }
    entries_ = seams.journal.read_all();
    // Whoever trains already tells no window again.
    const Window from{seams.resume->window.value + (seams.resume->attached ? 1 : 0)};
    catch_up_.emplace(*training.executor(), config, host_, catalogue, from, entries_,
                      [&](std::uint64_t sequence) { return seams.journal.head_at(sequence); });
    starter_ = std::jthread([this] { begin_after_catching_up(); });
  }

  ~RunningTree() {  // also when training threw
    if (catch_up_) catch_up_->stop();
    if (starter_.joinable()) starter_.join();
    if (seams_.chaos != nullptr) seams_.chaos->detach();
    if (seams_.cluster != nullptr) seams_.cluster->tell_losses({});
  }
  RunningTree(const RunningTree&) = delete;
  RunningTree& operator=(const RunningTree&) = delete;

  /// Training is over: what is left of the turns is closed, then the tree ends.
  ControlEnd end(LaunchResult& result) {
    if (result.grown.interrupted && catch_up_) catch_up_->stop();
    if (starter_.joinable()) starter_.join();
    if (seams_.chaos != nullptr) seams_.chaos->detach();
    if (starting_failed_) std::rethrow_exception(starting_failed_);
    if (differs()) {
      const auto& found = *catch_up_->difference();
      result.broken = "AUDIT-1: window " + std::to_string(found.window.value) +
                      ", caught up, came out other than the journal's entry " +
                      std::to_string(found.sequence) + " (" + found.kind + ")";
    }
    if (!plane_) return {};
    // Of a run that was killed behind its last turn the tree had none to take.
    const bool finished =
        (!entries_.empty() && entries_.back().window >= result.grown.last_window) ||
        plane_->finish(result.grown.last_window, last_turn_patience);
    const auto control = plane_->stop();
    result.blocked = control.blocked;
    result.degraded =
        control.gave_up || result.grown.stalled || !finished || !control.blocked.empty();
    return control;
  }

 private:
  void begin() {
    auto* chaos = seams_.chaos;
    ControlSeams seams{*training_.executor(), seams_.journal, seams_.metrics,  seams_.log,
                       seams_.filter,         restarts_,      seams_.overrides};
    seams.cluster = seams_.cluster;
    seams.deposed = [&journal = seams_.journal] { return journal.deposed(); };
    if (chaos == nullptr) {
      plane_.emplace(config_, host_, seams);
      return;
    }
    const auto spoil = [desk = &chaos->desk(), filter = seams_.filter](WindowReport& report) {
      if (filter) filter(report);
      desk->spoil(report);
    };
    plane_.emplace(config_, host_,
                   ControlSeams{chaos->seam(seams.executor), chaos->seam(seams.journal),
                                seams.metrics, seams.log, spoil, restarts_, seams.overrides,
                                /*virtual_time=*/false, &chaos->desk(), /*planting=*/{},
                                seams.cluster, seams.deposed});
    chaos->attach({[this](Role role, RegionId region, std::uint32_t others_down_max) {
                     return plane_->kill(role, region, others_down_max);
                   },
                   training_.executor(), live_shape(config_, host_), host_, &seams_.log});
  }
  void begin_after_catching_up() {
    if (!catch_up_->wait()) return;
    if (differs()) return stop_.now();
    for (const auto& turn : turns_in(entries_))
      restarts_.insert(restarts_.end(), turn.restarts.begin(), turn.restarts.end());
    training_.executor()->set_control_alive(true);
    try {
      begin();
    } catch (...) {  // nodes that did not come
      starting_failed_ = std::current_exception();
      stop_.now();
    }
  }
  /// In free pace a turn may have come late in another way;
  /// nor are numbers that a fault had spoiled, or weights, told again.
  [[nodiscard]] bool differs() const {
    const bool injected = std::ranges::any_of(entries_, [](const JournalEntry& entry) {
      return entry.kind == InjectedFault::schema.name;
    });
    return catch_up_ && catch_up_->difference() && config_.pace.mode == Pace::lockstep && !injected;
  }

  const RunConfig& config_;
  Training& training_;
  const HostDescription host_;  ///< as at launch: what every record of the journal is counted from,
                                ///< while the trainer's follows the cuts
  const LaunchSeams& seams_;
  EitherStop& stop_;
  std::vector<JournalEntry> entries_;
  std::vector<Restart> restarts_;
  std::optional<CatchUp> catch_up_;
  std::optional<ControlPlane> plane_;
  std::exception_ptr starting_failed_;
  std::jthread starter_;
};

}  // namespace

LaunchResult launch_grown(const RunConfig& config, const LaunchSeams& seams,
                          const std::atomic<bool>& stop,
                          const std::function<void(const TrainingProgress&)>& tell,
                          std::unique_ptr<Training>& kept) {
  kept = seams.factory.make({.config = config,
                             .arm = "grown",
                             .widths = {},
                             .planted = {},
                             .checkpoints = seams.checkpoints,
                             .resume_from = seams.resume ? seams.resume->checkpoint : "",
                             .replica = seams.replica,
                             .tell = seams.tell});
  const auto catalogue = config.mode == Mode::off
                             ? Catalogue{}
                             : kept->assess(chosen_blueprints(config.blueprints, kept->host()));
  if (seams.resume)
    check_opening(seams.journal, config, kept->host(), catalogue);
  else
    write_opening(seams.journal, config, kept->host(), catalogue);

  LaunchResult result;
  ControlEnd control;
  if (kept->executor() != nullptr) {
    // Another node leads: the others go on without this one, which would lead them otherwise.
    EitherStop ended(stop, [&] {
      if (seams.replica && seams.journal.deposed()) kept->lose(seams.replica->node);
    });
    RunningTree tree(config, *kept, catalogue, seams, ended);
    result.grown = kept->run(ended.flag(), tell);
    control = tree.end(result);
  } else {
    result.grown = kept->run(stop, tell);
  }
  result.restarts = control.restarts;
  result.decision_hash = seams.journal.decision_hash();
  if (seams.overrides != nullptr) seams.overrides->close();
  result.first_irreproducible = irreproducible(config, result.grown, control, seams.journal);
  if (seams.resume && config.pace.mode == Pace::free && result.first_irreproducible.empty())
    result.first_irreproducible = "the run was resumed in free pace";
  return result;
}

}  // namespace esper
