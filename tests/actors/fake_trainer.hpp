#pragma once
// A trainer without tensors: windows follow a seeded model, commands move stages by the lifecycle
// table, one window late, as the step boundary does. Lockstep by a condition variable.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "actors/decisions/admission.hpp"
#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/random.hpp"
#include "messages/interfaces.hpp"

namespace esper {

class FakeTrainer final : public Executor {
 public:
  FakeTrainer(std::uint32_t regions, std::uint64_t seed) : regions_(regions), seed_(seed) {}

  /// Closes one window: waits for the turn before it (at most `patience`), applies what it
  /// released, publishes the next report. False: the turn did not come in time.
  bool close_window(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    const Window window = newest_ + 1;
    const bool came = changed_.wait_for(
        lock, patience, [&] { return released_.value + 1 >= window.value || !alive_; });
    WindowReport report{};
    report.window = window;
    report.tick = {window.value * 10};
    report.step = {window.value * 10};
    for (; !turns_.empty(); turns_.pop_front()) {
      report.applied.push_back({turns_.front().turn, window, turns_.front().turn + 1 != window});
      for (const auto& command : turns_.front().commands)
        report.outcomes.push_back(apply(command, window));
      if (turns_.front().surgery)
        report.surgeries.push_back(operate(*turns_.front().surgery, window));
    }
    if (checkpoint_windows_ > 0 && window.value % checkpoint_windows_ == 0) {
      auto& ready = report.checkpoint.emplace();
      ready.checkpoint = window.value / checkpoint_windows_;
      ready.window = window;
      ready.structure_version = structure_;
      ready.measurable = true;
      measured_at_ = structure_;
    }
    if (const auto meanwhile = std::exchange(meanwhile_, nullptr)) {
      lock.unlock();
      meanwhile();
      lock.lock();
    }
    for (std::uint32_t region = 0; region < regions_; ++region)
      report.regions.push_back(telemetry(RegionId{region}, window));
    publish_seeds();
    newest_ = window;
    windows_.push_back(std::move(report));
    lock.unlock();
    changed_.notify_all();
    return came;
  }

  bool next_window(WindowReport& report, std::chrono::milliseconds patience) override {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return !windows_.empty(); })) return false;
    report = windows_.front();
    return true;
  }
  void finish_window(Window window) override {
    const std::lock_guard lock(mutex_);
    while (!windows_.empty() && windows_.front().window <= window) windows_.pop_front();
  }
  void wake() override { changed_.notify_all(); }
  bool release(const TurnRelease& turn) override {
    {
      const std::lock_guard lock(mutex_);
      if (turn.turn <= released_) return true;
      released_ = turn.turn;
      turns_.push_back(turn);
    }
    changed_.notify_all();
    return true;
  }
  void catch_up(Window) override {}
  Window released() const override {
    const std::lock_guard lock(mutex_);
    return released_;
  }
  void fence(RegionId region, Epoch epoch) override {
    const std::lock_guard lock(mutex_);
    fences_[region] = std::max(fences_[region], epoch);
  }
  /// The newest epoch of that region's Narset that was seen here.
  [[nodiscard]] Epoch fence_of(RegionId region) const {
    const std::lock_guard lock(mutex_);
    const auto found = fences_.find(region);
    return found == fences_.end() ? Epoch{} : found->second;
  }
  /// As of the last boundary: what the present one applies is not seen before it ends.
  std::vector<SeedStatus> seeds() const override {
    const std::lock_guard lock(mutex_);
    return published_;
  }
  /// From now on every so many windows close a checkpoint of this host, which can be cut.
  void enable_checkpoints(const HostDescription& host, std::uint64_t windows) {
    const std::lock_guard lock(mutex_);
    host_ = host;
    checkpoint_windows_ = windows;
  }
  /// Channel c of each group matters c times as much as the first.
  std::optional<ImportanceReport> measure_importance(std::uint64_t checkpoint) override {
    const std::lock_guard lock(mutex_);
    newest_measured_ = checkpoint;
    ImportanceReport report;
    report.checkpoint = checkpoint;
    report.structure_version = measured_at_;
    report.samples = 1;
    report.host = host_;
    for (const auto& group : host_.coupled_groups) {
      auto& told = report.groups.emplace_back();
      told.group = group.name;
      for (std::uint32_t channel = 0; channel < group.channels; ++channel)
        told.importance.push_back(channel);
      told.activity.assign(group.channels, 1);
    }
    return report;
  }
  void set_control_alive(bool alive) override {
    {
      const std::lock_guard lock(mutex_);
      alive_ = alive;
    }
    changed_.notify_all();
  }

  /// Runs once, at the next boundary: after its commands were applied, before anyone is told.
  void at_next_boundary(std::function<void()> meanwhile) {
    const std::lock_guard lock(mutex_);
    meanwhile_ = std::move(meanwhile);
  }
  /// The newest window that has closed.
  [[nodiscard]] Window closed() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }
  /// The newest checkpoint whose importance was asked for.
  [[nodiscard]] std::uint64_t newest_measured() const {
    const std::lock_guard lock(mutex_);
    return newest_measured_;
  }
  /// Commands applied so far, by id: none may appear twice.
  [[nodiscard]] std::map<CommandId, int> applied() const {
    const std::lock_guard lock(mutex_);
    return applied_;
  }
  [[nodiscard]] HostDescription host() const {
    const std::lock_guard lock(mutex_);
    return host_;
  }
  [[nodiscard]] std::size_t with_stage(Stage stage) const {
    std::size_t count = 0;
    for (const auto& seed : seeds()) count += seed.stage == stage;
    return count;
  }

 private:
  void publish_seeds() {
    published_.clear();
    for (const auto& [id, seed] : seeds_)
      if (seed.stage != Stage::embargoed && seed.stage != Stage::dormant)
        published_.push_back(seed);
  }
  SurgeryOutcome operate(const SurgeryOrder& order, Window window) {
    SurgeryOutcome outcome;
    outcome.plan = order.plan.id;
    outcome.parameters_before = host_.parameters;
    const auto cut = after_cuts(host_, order.plan.cuts, order.plan.layers);
    if (order.boundary != window)
      outcome.refusal = SurgeryRefusal::not_a_checkpoint;
    else if (!cut)
      outcome.refusal = cut.refusal();
    if (outcome.refusal == SurgeryRefusal::none) {
      host_ = cut.value();
      outcome.cuts = order.plan.cuts;
      outcome.layers = order.plan.layers;
      ++structure_;
    }
    outcome.parameters_after = host_.parameters;
    outcome.structure_version = structure_;
    return outcome;
  }
  Outcome apply(const AdaptationCommand& command, Window window) {
    Outcome outcome = outcome_of(command);
    outcome.step = {window.value * 10};
    auto& fence = fences_[command.id.region];
    if (command.id.epoch < fence) {
      outcome.refusal = CommandRefusal::old_epoch;
      return outcome;
    }
    fence = command.id.epoch;
    auto& seed = seeds_[command.seed];
    const auto next = after(seed.stage, command.kind);
    if (!next) {
      outcome.refusal = next.refusal();
      outcome.stage = seed.stage;
      return outcome;
    }
    ++applied_[command.id];
    if (command.kind == CommandKind::germinate)
      seed = {
          command.seed, command.id.region,  command.slot, command.blueprint, Stage::dormant, 0, 0,
          300,          command.mitigations};
    if (command.kind == CommandKind::graft && !command.mitigations.alpha_stages.empty())
      seed.mitigations = command.mitigations;
    if (command.kind == CommandKind::advance || command.kind == CommandKind::graft) {
      const auto& stages = seed.mitigations.alpha_stages;
      if (!stages.empty())
        seed.alpha = stages.at(std::min<std::size_t>(seed.alpha_stage++, stages.size() - 1));
    }
    seed.stage = next.value();
    if (seed.stage == Stage::train_isolated) updates_[seed.seed] = 0;
    outcome.stage = seed.stage;
    outcome.alpha = seed.alpha;
    outcome.parameters = seed.parameters;
    outcome.enforced = seed.mitigations;  // whatever the command said: what is applied from now on
    return outcome;
  }

  RegionTelemetry telemetry(RegionId region, Window window) {
    RandomStream noise(seed_, "fake", std::uint64_t{100'000} * region.value + window.value);
    RegionTelemetry seen{};
    seen.region = region;
    seen.window = window;
    seen.steps_covered = 10;
    seen.loss_mean = 1.0 / (1.0 + 0.01 * static_cast<double>(window.value));
    seen.loss_sigma = 0.01 + 0.001 * noise.uniform();
    seen.jitter = 0.01;
    seen.drift = -0.01;
    seen.diversity = 1;
    seen.signal_rms = 1;
    seen.signal_gradient = 1;
    seen.gradient_norm_median = 1;
    seen.gradient_norm_max = 2;
    seen.learning_rate_ratio = 1;
    for (auto& [id, seed] : seeds_) {
      if (seed.region != region || seed.stage == Stage::embargoed) continue;
      if (seed.stage == Stage::fossilised || seed.stage == Stage::dormant) continue;
      updates_[id] += 30;
      SeedTelemetry here{};
      here.seed = id;
      here.slot = seed.slot;
      here.stage = seed.stage;
      here.alpha = seed.alpha;
      here.updates = updates_[id];
      here.relative_norm = 0.3;
      here.gradient_norm = 0.1;
      const double gain = id.value % 3 == 0 ? -0.2 : 0.05;  // every third design is harmful
      here.gate = {true, 1, 1 - gain, 1 - gain, true, 1024};
      seen.seeds.push_back(here);
    }
    return seen;
  }

  const std::uint32_t regions_;
  const std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WindowReport> windows_;
  std::deque<TurnRelease> turns_;
  std::map<SeedId, SeedStatus> seeds_;
  std::vector<SeedStatus> published_;
  std::function<void()> meanwhile_;
  std::map<SeedId, std::uint64_t> updates_;
  std::map<RegionId, Epoch> fences_;
  std::map<CommandId, int> applied_;
  Window newest_, released_;
  bool alive_ = true;
  HostDescription host_;
  std::uint64_t checkpoint_windows_{}, structure_{}, measured_at_{}, newest_measured_{};
};

}  // namespace esper
