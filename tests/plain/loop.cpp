#include "tests/plain/loop.hpp"

#include <algorithm>

#include "actors/decisions/cycles.hpp"
#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/random.hpp"

namespace esper::plain {
namespace {

constexpr double improvement = 0.9985;  // of the loss, a window

}  // namespace

Loop::Loop(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue)
    : config_(config),
      host_(host),
      bed_(config, host, catalogue),
      non_finite_(host.regions.size()),
      weights_(host.regions.size(), std::vector<double>(weights_per_region, 1.0)) {
  for (std::uint32_t region = 0; region < host.regions.size(); ++region)
    weather_.emplace_back(config.seed, RegionId{region});
}

double Loop::loss() const { return std::max(base_loss_ - bed_.saved(), 0.05); }

double Loop::learning_rate_ratio() const {
  return step_.value < std::uint64_t{config_.training.steps_max} * 9 / 10 ? 1 : 0.5;
}

std::uint32_t Loop::born_channels(SeedId seed) const {
  const auto found = born_.find(seed);
  return found == born_.end() ? 0 : found->second;
}

void Loop::take_step(WindowReport& report) {
  ++tick_.value;
  ++step_in_window_;
  bed_.take_step(overhead_.paused);
  bool skipped = false;
  for (std::uint32_t region = 0; region < weather_.size(); ++region)
    if (weather_[region].blows_up_at() == step_in_window_) {
      ++non_finite_[region];
      skipped = bed_.escape_by_reflex("non_finite_loss", step_, report.outcomes) || skipped;
    }
  if (skipped) return;
  ++step_.value;
  RandomStream stream(config_.seed, "plain.step", tick_.value);
  for (std::uint32_t region = 0; region < weights_.size(); ++region) {
    const double pull = bed_.saved({region});
    for (double& weight : weights_[region])
      weight += 0.01 * (stream.uniform() - 0.5 + pull - 0.1 * weight);
  }
}

void Loop::close(Window window, const std::vector<TurnRelease>& turns, bool silent,
                 WindowReport& report) {
  step_in_window_ = 0;
  std::vector<SurgeryOrder> orders;
  for (const TurnRelease& turn : turns) {
    ground_.zone_version = std::max(ground_.zone_version, turn.zone_version);
    if (turn.surgery) orders.push_back(*turn.surgery);
    for (const auto& command : turn.commands) {
      const bool plants = command.kind == CommandKind::germinate;
      bed_.apply(command, window, step_, overhead_.paused, report.outcomes);
      if (plants && report.outcomes.back().refusal == CommandRefusal::none)
        born_[command.seed] = host_.slots.at(command.slot.value).channels;
    }
    report.applied.push_back({turn.turn, window, turn.turn + 1 != window});
  }
  if (silent) bed_.escape_by_reflex("executor_silent", step_, report.outcomes);
  for (const auto& order : orders) operate(order, window, report);
  if (const auto checkpoint =
          checkpoint_at(window, config_.time.cycle_windows, config_.time.checkpoint_cycles))
    close_checkpoint(checkpoint, window, report);
  report.window = window;
  report.tick = tick_;
  report.step = step_;
  report.operations.training = 3 * config_.time.window_steps * host_.operations;
  for (const auto& seed : bed_.seeds())
    if (seed.stage == Stage::train_isolated)
      report.operations.shadow += host_.operations * config_.time.window_steps / 2;
  operations_.training += report.operations.training;
  operations_.shadow += report.operations.shadow;
  report.overhead_paused = observe(overhead_, report.operations, config_.limits.overhead_ratio_max);
  tell_regions(window, report);
  base_loss_ *= improvement;
  for (std::uint32_t region = 0; region < weather_.size(); ++region) {
    weather_[region].next(bed_.helped({region}), false);
    if (bed_.shaken({region})) weather_[region].disturb(sim::Weather::shaking, 1);
  }
}

void Loop::operate(const SurgeryOrder& order, Window window, WindowReport& report) {
  SurgeryOutcome outcome;
  outcome.plan = order.plan.id;
  outcome.parameters_before = host_.parameters;
  outcome.operations_before = host_.operations;
  outcome.loss_before = outcome.loss_after = loss();
  outcome.accuracy_before = outcome.accuracy_after = 0.8;
  ground_.structure_version = bed_.structure();
  ground_.checkpoint =
      checkpoint_at(window, config_.time.cycle_windows, config_.time.checkpoint_cycles) > 0;
  auto [refusal, detail] = admit(order, window, ground_);
  ground_.newest_epoch = std::max(ground_.newest_epoch, order.epoch);
  if (refusal == SurgeryRefusal::none) {
    ground_.newest_plan = order.plan.id;
    const auto cut = after_cuts(host_, order.plan.cuts, order.plan.layers);
    RandomStream stream(config_.seed, "plain.surgery", order.plan.id);
    if (!cut) {
      refusal = cut.refusal();
    } else if (stream.below(6) == 0) {
      refusal = SurgeryRefusal::harmful;
      outcome.accuracy_after = 0.4;
      detail = "accuracy fell";
    } else {
      host_ = cut.value();
      cut_ = true;
      outcome.cuts = order.plan.cuts;
      outcome.layers = order.plan.layers;
      bed_.restructured();
      bed_.resized(host_.parameters, host_.operations);
    }
  }
  outcome.refusal = refusal;
  outcome.detail = detail;
  outcome.parameters_after = host_.parameters;
  outcome.operations_after = host_.operations;
  outcome.structure_version = bed_.structure();
  report.surgeries.push_back(std::move(outcome));
}

void Loop::close_checkpoint(std::uint64_t checkpoint, Window window, WindowReport& report) {
  auto& ready = report.checkpoint.emplace();
  ready.checkpoint = checkpoint;
  ready.window = window;
  ready.structure_version = bed_.structure();
  ready.gate_loss = loss();
  ready.gate_accuracy = 0.8;
  ready.measurable = config_.compaction.enabled;
  const std::lock_guard lock(copy_lock_);
  copy_ = {checkpoint, bed_.structure(), host_};
}

void Loop::tell_regions(Window window, WindowReport& report) {
  const double now = loss();
  report.regions.resize(weather_.size());
  for (std::uint32_t region = 0; region < weather_.size(); ++region) {
    auto& seen = report.regions[region] = {};
    seen.region = {region};
    seen.window = window;
    seen.steps_covered = config_.time.window_steps;
    seen.non_finite = std::exchange(non_finite_[region], 0);
    seen.learning_rate_ratio = learning_rate_ratio();
    weather_[region].tell(seen, now, loss_before_);
    seen.seeds = bed_.tell({region}, now);
  }
  loss_before_ = now;
}

std::optional<ImportanceReport> Loop::measure(std::uint64_t checkpoint) const {
  const std::lock_guard lock(copy_lock_);
  if (checkpoint != copy_.checkpoint) return std::nullopt;
  ImportanceReport report;
  report.checkpoint = checkpoint;
  report.structure_version = copy_.structure;
  report.samples = config_.compaction.importance_samples;
  report.host = copy_.host;
  for (const auto& group : copy_.host.coupled_groups) {
    RandomStream stream(config_.seed, "plain.importance." + group.name, checkpoint);
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

}  // namespace esper::plain
