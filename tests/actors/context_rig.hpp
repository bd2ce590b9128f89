#pragma once
// One role or a supervisor of test children, with seams that remember what they were told.
#include <deque>
#include <map>
#include <thread>

#include "actors/context.hpp"
#include "actors/stable_handle.hpp"
#include "tests/actors/memory_journal.hpp"

namespace esper {

/// Waits for another thread; a test that never sees it ends by the test runner's limit.
template <typename Condition>
void until(const Condition& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

class SeenMetrics final : public Metrics {
 public:
  void add(std::string_view name, std::string_view role, std::string_view region,
           double amount) override {
    const std::lock_guard lock(mutex_);
    values_[key(name, role, region)] += amount;
  }
  void set(std::string_view name, std::string_view role, std::string_view region,
           double value) override {
    const std::lock_guard lock(mutex_);
    values_[key(name, role, region)] = value;
  }
  void observe(std::string_view, std::string_view, double) override {}
  /// 0 while nothing has been told.
  [[nodiscard]] double value(std::string_view name, std::string_view role,
                             std::string_view region = "") const {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key(name, role, region));
    return found == values_.end() ? 0 : found->second;
  }

 private:
  static std::string key(std::string_view name, std::string_view role, std::string_view region) {
    return std::string{name} + "/" + std::string{role} + "/" + std::string{region};
  }

  mutable std::mutex mutex_;
  std::map<std::string, double> values_;
};

class SeenLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view details) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(event, details);
  }
  [[nodiscard]] std::vector<std::string> details(std::string_view event) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& line : lines_)
      if (line.first == event) found.push_back(line.second);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

/// Takes turns while there is room, and remembers whether lockstep may wait.
class RingExecutor final : public Executor {
 public:
  bool next_window(WindowReport&, std::chrono::milliseconds) override { return false; }
  void finish_window(Window) override {}
  void wake() override {}
  bool release(const TurnRelease& turn) override {
    const std::lock_guard lock(mutex_);
    if (turn.turn <= released_) return true;
    if (room == 0) return false;
    --room;
    released_ = turn.turn;
    taken_.push_back(turn.turn.value);
    return true;
  }
  void catch_up(Window) override {}
  Window released() const override {
    const std::lock_guard lock(mutex_);
    return released_;
  }
  void fence(RegionId, Epoch) override {}
  std::vector<SeedStatus> seeds() const override { return {}; }
  std::optional<ImportanceReport> measure_importance(std::uint64_t) override { return {}; }
  void set_control_alive(bool now) override { alive = now; }

  [[nodiscard]] std::vector<std::uint64_t> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

  std::atomic<std::size_t> room{1'000'000};
  std::atomic<bool> alive{true};

 private:
  mutable std::mutex mutex_;
  Window released_;
  std::vector<std::uint64_t> taken_;
};

/// A context with two regions, lanes, and the peers' stable handles; who stands behind them is the
/// test's choice.
/// A turn that releases nothing.
inline TurnRelease empty_release(std::uint64_t turn) {
  TurnRelease release;
  release.turn = {turn};
  return release;
}

/// Threads and the machine's clock, or CAF's test coordinator: one thread, time by hand.
enum class RigTime : std::uint8_t { real, by_hand };

struct RigSystemConfig : caf::actor_system_config {
  explicit RigSystemConfig(RigTime time) {
    if (time == RigTime::by_hand) set("scheduler.policy", caf::atom("testing"));
  }
};

struct ContextRig {
  explicit ContextRig(RunConfig config = {}, RigTime time = RigTime::real) : system_config(time) {
    config.control.retry_ms = 100;
    HostDescription host;
    for (const char* name : {"front", "back"}) host.regions.push_back({name, {}, 1'000, 1'000});
    const auto lane = [&](const char* name, LaneKind kind) {
      return std::make_shared<LaneQueue>(name, kind, config.control.credit,
                                         config.control.backlog_max);
    };
    journal_handle = StableHandle::make(system);
    kasmina_handle = StableHandle::make(system);
    context.reset(new ControlContext{
        config, host, executor, journal, metrics, log,
        Peers{caf::actor_cast<JournalHandle>(journal_handle),
              caf::actor_cast<KasminaHandle>(kasmina_handle), UrzaHandle{}, OonaHandle{}},
        Lanes{Lane<JournalHandle>(lane("journal", LaneKind::command)),
              Lane<TolariaHandle>(lane("tolaria", LaneKind::telemetry)),
              {Lane<NarsetHandle>(lane("narset.front", LaneKind::telemetry)),
               Lane<NarsetHandle>(lane("narset.back", LaneKind::telemetry))},
              Lane<TamiyoHandle>(lane("tamiyo", LaneKind::telemetry)),
              Lane<KasminaHandle>(lane("kasmina", LaneKind::command)),
              Lane<EleshHandle>(lane("elesh", LaneKind::telemetry)),
              Lane<EmrakulHandle>(lane("emrakul", LaneKind::command))},
        TelemetryFilter{}});
  }
  ~ContextRig() {
    for (auto& actor : placed)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
    for (const auto& handle : {journal_handle, kasmina_handle})
      StableHandle::set_target(handle, nullptr);
    for (LaneQueue* lane : context->lanes.all()) lane->close();
  }

  /// Puts an actor behind a stable handle and at its lane's end.
  void place(const caf::strong_actor_ptr& handle, LaneQueue& lane, caf::strong_actor_ptr actor) {
    StableHandle::set_target(handle, actor);
    lane.receiver_started(actor);
    placed.push_back(std::move(actor));
  }

  RigSystemConfig system_config;
  caf::actor_system system{system_config};
  RingExecutor executor;
  MemoryJournal journal;
  SeenMetrics metrics;
  SeenLog log;
  caf::strong_actor_ptr journal_handle, kasmina_handle;
  ControlContextPtr context;
  std::vector<caf::strong_actor_ptr> placed;
};

}  // namespace esper
