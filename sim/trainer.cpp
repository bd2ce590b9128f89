#include "sim/trainer.hpp"

#include <algorithm>

#include "actors/decisions/cycles.hpp"
#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/random.hpp"

namespace esper::sim {

namespace {

constexpr std::size_t windows_unread_max = 8;
constexpr std::size_t turns_waiting_max = 16;
constexpr double improvement = 0.9985;  // of the loss, a window

}  // namespace

SimulatedTrainer::SimulatedTrainer(World& world, const RunConfig& config,
                                   const HostDescription& host, const Catalogue& catalogue,
                                   const TrainerSettings& settings, TrainerWatch& watch)
    : world_(world),
      config_(config),
      host_(host),
      settings_(settings),
      watch_(watch),
      bed_(config, host, catalogue),
      non_finite_(host.regions.size()) {
  for (std::uint32_t region = 0; region < host.regions.size(); ++region)
    weather_.emplace_back(config.seed, RegionId{region});
}

void SimulatedTrainer::begin() { schedule_step(); }

void SimulatedTrainer::schedule_step() {
  if (!done()) world_.at(world_.now_ms() + settings_.step_ms, [this] { step(); });
}

double SimulatedTrainer::loss() const { return std::max(base_loss_ - bed_.saved(), 0.05); }

void SimulatedTrainer::step() {
  ++tick_.value;
  ++step_in_window_;
  bed_.take_step(overhead_.paused);
  bool skipped = false;
  for (std::uint32_t region = 0; region < weather_.size(); ++region)
    if (weather_[region].blows_up_at() == step_in_window_) {
      ++non_finite_[region];
      skipped = bed_.escape_by_reflex("non_finite_loss", step_, draft_.outcomes) || skipped;
    }
  if (skipped) watch_.reflexed(draft_.outcomes, bed_.seeds());
  if (!skipped) ++step_.value;
  const bool boundary = step_in_window_ == config_.time.window_steps;
  if (config_.pace.mode == Pace::free || stalled_) {
    take_turns(window_);
    if (!boundary) escape_now();
  }
  watch_.stepped(bed_.seeds(), window_ + 1);
  if (boundary)
    reach_boundary();
  else
    schedule_step();
}

void SimulatedTrainer::reach_boundary() {
  const bool lockstep = config_.pace.mode == Pace::lockstep && !stalled_;
  if (lockstep && alive_ && released_ < window_) {
    const std::uint64_t since = world_.now_ms();
    waiting_since_ms_ = since;
    world_.at(since + config_.pace.stall_ms_max, [this, since] {
      if (waiting_since_ms_ != since) return;
      draft_.stalled = stalled_ = true;
      close_window();
    });
    return;
  }
  close_window();
}

void SimulatedTrainer::close_window() {
  const bool lockstep = config_.pace.mode == Pace::lockstep;
  if (waiting_since_ms_)
    watch_.waited(world_.now_ms() - *std::exchange(waiting_since_ms_, std::nullopt), lockstep);
  ++window_.value;
  step_in_window_ = 0;
  take_turns({window_.value - 1});
  apply_turns();
  const std::uint64_t silent_windows = config_.reflex.executor_silent_windows;
  if (window_.value - 1 >= newest_turn_.value + silent_windows &&
      bed_.escape_by_reflex("executor_silent", step_, draft_.outcomes))
    watch_.reflexed(draft_.outcomes, bed_.seeds());
  for (const auto& order : std::exchange(orders_, {})) operate(order);
  if (const auto checkpoint =
          checkpoint_at(window_, config_.time.cycle_windows, config_.time.checkpoint_cycles))
    close_checkpoint(checkpoint);
  draft_.window = window_;
  draft_.tick = tick_;
  draft_.step = step_;
  draft_.operations.training = 3 * config_.time.window_steps * host_.operations;
  for (const auto& seed : bed_.seeds())
    if (seed.stage == Stage::train_isolated)
      draft_.operations.shadow += host_.operations * config_.time.window_steps / 2;
  draft_.overhead_paused = observe(overhead_, draft_.operations, config_.limits.overhead_ratio_max);
  tell_regions();
  published_ = bed_.status();
  watch_.closed(draft_, bed_.seeds());
  publish();
  base_loss_ *= improvement;
  const bool quiet = window_.value >= settings_.quiet_from_window;
  for (std::uint32_t region = 0; region < weather_.size(); ++region) {
    weather_[region].next(bed_.helped({region}), quiet);
    if (bed_.shaken({region})) weather_[region].disturb(Weather::shaking, 1);
  }
  schedule_step();
}

void SimulatedTrainer::take_turns(Window newest) {
  while (!turns_.empty() && turns_.front().turn <= newest && pending_.size() < turns_waiting_max) {
    newest_turn_ = turns_.front().turn;
    pending_.push_back({std::move(turns_.front()), false});
    turns_.pop_front();
  }
}

void SimulatedTrainer::escape_now() {
  for (auto& [turn, escapes_done] : pending_) {
    if (std::exchange(escapes_done, true)) continue;
    for (const auto& command : turn.commands)
      if (command.kind == CommandKind::escape) {
        bed_.apply(command, window_ + 1, step_, overhead_.paused, draft_.outcomes);
        watch_.applied(command, draft_.outcomes.back(), bed_.seeds());
      }
  }
}

void SimulatedTrainer::apply_turns() {
  for (const auto& [turn, escapes_done] : std::exchange(pending_, {})) {
    ground_.zone_version = std::max(ground_.zone_version, turn.zone_version);
    if (turn.surgery) orders_.push_back(*turn.surgery);
    for (const auto& command : turn.commands) {
      if (escapes_done && command.kind == CommandKind::escape) continue;
      bed_.apply(command, window_, step_, overhead_.paused, draft_.outcomes);
      watch_.applied(command, draft_.outcomes.back(), bed_.seeds());
    }
    draft_.applied.push_back({turn.turn, window_, turn.turn + 1 != window_});
  }
}

void SimulatedTrainer::operate(const SurgeryOrder& order) {
  SurgeryOutcome outcome;
  outcome.plan = order.plan.id;
  outcome.parameters_before = host_.parameters;
  outcome.operations_before = host_.operations;
  outcome.loss_before = outcome.loss_after = loss();
  outcome.accuracy_before = outcome.accuracy_after = 0.8;
  ground_.structure_version = bed_.structure();
  ground_.checkpoint =
      checkpoint_at(window_, config_.time.cycle_windows, config_.time.checkpoint_cycles) > 0;
  auto [refusal, detail] = admit(order, window_, ground_);
  ground_.newest_epoch = std::max(ground_.newest_epoch, order.epoch);
  if (refusal == SurgeryRefusal::none) {
    ground_.newest_plan = order.plan.id;
    const auto cut = after_cuts(host_, order.plan.cuts);
    RandomStream stream(config_.seed, "sim.surgery", order.plan.id);
    if (!cut) {
      refusal = cut.refusal();
    } else if (stream.below(8) == 0) {
      refusal = SurgeryRefusal::harmful;
      outcome.accuracy_after = 0.4;
      detail = "accuracy fell";
    } else {
      host_ = cut.value();
      outcome.cuts = order.plan.cuts;
      bed_.restructured();
      bed_.resized(host_.parameters, host_.operations);
    }
  }
  outcome.refusal = refusal;
  outcome.detail = detail;
  outcome.parameters_after = host_.parameters;
  outcome.operations_after = host_.operations;
  outcome.structure_version = bed_.structure();
  watch_.operated(order, outcome, window_);
  draft_.surgeries.push_back(std::move(outcome));
}

void SimulatedTrainer::close_checkpoint(std::uint64_t checkpoint) {
  auto& ready = draft_.checkpoint.emplace();
  ready.checkpoint = checkpoint;
  ready.window = window_;
  ready.structure_version = copied_structure_ = bed_.structure();
  // What melts is seen on held-back data, too.
  const auto melting = std::ranges::count_if(
      weather_, [](const RegionWeather& one) { return one.now() == Weather::melting; });
  ready.gate_loss = loss() * (1 + 0.04 * static_cast<double>(melting));
  ready.gate_accuracy = 0.8;
  ready.measurable = true;
  copied_ = checkpoint;
  copied_host_ = host_;
}

/// A schedule in three parts: seeds germinate, then hosts are only cut, then not even that.
double SimulatedTrainer::learning_rate_ratio() const {
  if (window_.value < settings_.windows * 4 / 5) return 1;
  return window_.value < settings_.windows * 19 / 20 ? 0.5 : 0.2;
}

void SimulatedTrainer::tell_regions() {
  const double now = loss();
  for (std::uint32_t region = 0; region < weather_.size(); ++region) {
    auto& seen = draft_.regions.emplace_back();
    seen.region = {region};
    seen.window = window_;
    seen.steps_covered = config_.time.window_steps;
    seen.non_finite = std::exchange(non_finite_[region], 0);
    seen.learning_rate_ratio = learning_rate_ratio();
    weather_[region].tell(seen, now, loss_before_);
    seen.seeds = bed_.tell({region}, now);
  }
  loss_before_ = now;
}

void SimulatedTrainer::publish() {
  if (windows_.size() == windows_unread_max) {  // the newest takes over, no outcome is lost
    auto& older = windows_.back();
    const auto before = [](auto& later, auto& earlier) {
      earlier.insert(earlier.end(), later.begin(), later.end());
      later.swap(earlier);
    };
    for (std::size_t region = 0; region < draft_.regions.size(); ++region) {
      draft_.regions[region].steps_missing +=
          older.regions[region].steps_covered + older.regions[region].steps_missing;
      draft_.regions[region].non_finite += older.regions[region].non_finite;
    }
    before(draft_.outcomes, older.outcomes);
    before(draft_.applied, older.applied);
    before(draft_.surgeries, older.surgeries);
    if (!draft_.checkpoint) draft_.checkpoint = older.checkpoint;
    draft_.stalled = draft_.stalled || older.stalled;
    windows_.pop_back();
  }
  windows_.push_back(std::move(draft_));
  draft_ = {};
}

bool SimulatedTrainer::next_window(WindowReport& report, std::chrono::milliseconds) {
  if (windows_.empty()) return false;
  report = windows_.front();
  return true;
}

void SimulatedTrainer::finish_window(Window window) {
  while (!windows_.empty() && windows_.front().window <= window) windows_.pop_front();
}

bool SimulatedTrainer::release(const TurnRelease& turn) {
  if (turn.turn <= released_) return true;
  if (turns_.size() == turns_waiting_max || (silent && silent())) return false;
  released_ = turn.turn;
  turns_.push_back(turn);
  if (std::exchange(repeats_, false)) turns_.push_back(turn);
  if (waiting_since_ms_ && released_ >= window_)
    world_.at(world_.now_ms(), [this, since = waiting_since_ms_] {
      if (waiting_since_ms_ && waiting_since_ms_ == since) close_window();
    });
  return true;
}

void SimulatedTrainer::fence(RegionId region, Epoch epoch) {
  bed_.fence(region, epoch);
  watch_.fenced(region, epoch);
}

std::vector<SeedStatus> SimulatedTrainer::seeds() const {
  auto told = published_;
  if (lie) lie(told);
  return told;
}

std::optional<ImportanceReport> SimulatedTrainer::measure_importance(std::uint64_t checkpoint) {
  if (checkpoint != copied_) return std::nullopt;
  ImportanceReport report;
  report.checkpoint = checkpoint;
  report.structure_version = copied_structure_;
  report.samples = config_.compaction.importance_samples;
  report.host = copied_host_;
  for (const auto& group : copied_host_.coupled_groups) {
    RandomStream stream(config_.seed, "sim.importance." + group.name, checkpoint);
    auto& told = report.groups.emplace_back();
    told.group = group.name;
    for (std::uint32_t channel = 0; channel < group.channels; ++channel) {
      const double drawn = stream.uniform();
      told.importance.push_back(drawn * drawn * drawn);
    }
    told.activity.assign(group.channels, 1);
  }
  return report;
}

void SimulatedTrainer::set_control_alive(bool alive) {
  alive_ = alive;
  if (!alive_ && waiting_since_ms_)
    world_.at(world_.now_ms(), [this, since = waiting_since_ms_] {
      if (waiting_since_ms_ && waiting_since_ms_ == since && !alive_) close_window();
    });
}

}  // namespace esper::sim
