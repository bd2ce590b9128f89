#include "sim/check_commands.hpp"

#include <algorithm>

#include "actors/decisions/lifecycle.hpp"

namespace esper::sim {

namespace {

constexpr std::uint32_t turns_for_an_escape = 4;
constexpr std::size_t windows_remembered = 16;

std::string name_of(const CommandId& id) {
  return "command " + std::to_string(id.region.value) + "." + std::to_string(id.epoch.value) + "." +
         std::to_string(id.sequence);
}

bool raises_alpha(CommandKind kind) {
  return kind == CommandKind::graft || kind == CommandKind::advance;
}

}  // namespace

void CommandCheck::expect_at_zero(const SimulatedSeed& seed, const char* why) {
  if (seed.ramp.alpha != 0)
    findings_.report("ESCAPE-1", "seed " + std::to_string(seed.seed.value) + " stands at alpha " +
                                     std::to_string(seed.ramp.alpha) + " after " + why);
}

void CommandCheck::applied(const AdaptationCommand& command, const Outcome& outcome,
                           const std::vector<SimulatedSeed>& seeds) {
  const auto& id = command.id;
  auto& newest = newest_[id.region];
  if (!journalled_.contains(id))
    findings_.report("AUDIT-1",
                     name_of(id) + " reached the trainer before its turn was journalled");
  if (outcome.refusal == CommandRefusal::none) {
    if (window_ > command.authority_until)
      findings_.report("LEDGER-2", name_of(id) + " was carried out past its lease");
    if (id.epoch < newest)
      findings_.report("FENCE-1", name_of(id) + " changed something after epoch " +
                                      std::to_string(newest.value) + " was seen");
    if (!done_.insert(id).second)
      findings_.report("LEDGER-2", name_of(id) + " was carried out twice");
    if (raises_alpha(command.kind)) silenced_.erase(command.seed);
    if (command.kind == CommandKind::escape)
      for (const auto& seed : seeds)
        if (seed.region == id.region && on_graph(seed.stage)) {
          expect_at_zero(seed, "an escape");
          silenced_[seed.seed] = window_;
        }
    if (command.kind == CommandKind::roll_back)
      for (const auto& seed : seeds)
        if (seed.seed == command.seed)
          findings_.report("ROLL-1", "seed " + std::to_string(seed.seed.value) +
                                         " stands after it was rolled back");
  }
  if (outcome.refusal != CommandRefusal::old_epoch) newest = std::max(newest, id.epoch);
}

void CommandCheck::fenced(RegionId region, Epoch epoch) {
  newest_[region] = std::max(newest_[region], epoch);
}

void CommandCheck::operated(const SurgeryOrder& order, const SurgeryOutcome& outcome) {
  // Refused by admission it was not begun; anything else is a scalpel.
  const bool begun = outcome.refusal == SurgeryRefusal::none ||
                     outcome.refusal == SurgeryRefusal::harmful ||
                     outcome.refusal == SurgeryRefusal::uncoupled;
  if (begun && !plans_done_.insert(order.plan.id).second)
    findings_.report("LEDGER-2",
                     "plan " + std::to_string(order.plan.id) + " was carried out twice");
}

void CommandCheck::reflexed(const std::vector<SimulatedSeed>& seeds) {
  for (const auto& seed : seeds)
    if (on_graph(seed.stage)) {
      expect_at_zero(seed, "a reflex");
      silenced_[seed.seed] = window_;
    }
}

void CommandCheck::stepped(const std::vector<SimulatedSeed>& seeds, Window coming) {
  window_ = coming;
  if (silenced_.empty()) return;
  for (const auto& seed : seeds)
    if (seed.ramp.alpha > 0 && silenced_.contains(seed.seed)) {
      silenced_.erase(seed.seed);
      findings_.report("ESCAPE-1", "alpha of seed " + std::to_string(seed.seed.value) +
                                       " rose after an escape without a command");
    }
}

void CommandCheck::closed(Window window, const std::vector<SimulatedSeed>& seeds) {
  auto& touching = touching_[window];
  alphas_.clear();
  for (const auto& seed : seeds) {
    alphas_[seed.seed] = seed.stage == Stage::fossilised ? 0 : seed.ramp.alpha;
    if (seed.scaffold) scaffolds_.insert(seed.seed);
    if (on_graph(seed.stage) && seed.ramp.alpha > 0) touching[seed.region].insert(seed.seed);
  }
  if (touching_.size() > windows_remembered) touching_.erase(touching_.begin());
}

void CommandCheck::waited(std::uint64_t ms, bool boundary) {
  if (!boundary || stalled_) findings_.report("TRAIN-1", "the trainer waited where it never may");
  if (ms > config_.pace.stall_ms_max)
    findings_.report("TRAIN-1", "the trainer waited " + std::to_string(ms) + " ms");
  stalled_ = stalled_ || ms >= config_.pace.stall_ms_max;
}

void CommandCheck::take(const SeenTurn& turn) {
  for (const auto& outcome : turn.outcomes) {
    const bool resumes = outcome.cause == "executor_silent";
    if (outcome.reflex && !resumes && !scaffolds_.contains(outcome.seed))
      doomed_.emplace(outcome.seed, turn.window);
  }
  for (const auto& command : turn.commands) {
    journalled_.insert(command.id);
    if (raises_alpha(command.kind) || command.kind == CommandKind::stabilise)
      if (const auto found = doomed_.find(command.seed); found != doomed_.end())
        findings_.report("ESCAPE-1", "window " + std::to_string(turn.window.value) + ": " +
                                         std::string{esper::name_of(command.kind)} + " of seed " +
                                         std::to_string(command.seed.value) +
                                         ", which a reflex had taken off "
                                         "the graph in window " +
                                         std::to_string(found->second.value));
    if (command.kind == CommandKind::escape) escapes_.erase(command.id.region);
  }
  for (auto waiting = escapes_.begin(); waiting != escapes_.end();) {
    auto& [region, awaited] = *waiting;
    if (turn.report_of(region) != nullptr) ++awaited.turns;
    if (awaited.turns <= turns_for_an_escape) {
      ++waiting;
      continue;
    }
    for (const auto seed : awaited.seeds)
      if (alphas_.contains(seed) && alphas_.at(seed) > 0)
        findings_.report("ESCAPE-1", "an escape asked for region " + std::to_string(region.value) +
                                         " in window " + std::to_string(awaited.taken.value) +
                                         " never came, and seed " + std::to_string(seed.value) +
                                         " is on the graph");
    waiting = escapes_.erase(waiting);
  }
  const auto escapes_at_once = [&](RegionId region) {
    return std::ranges::any_of(turn.commands, [&](const AdaptationCommand& command) {
      return command.kind == CommandKind::escape && command.id.region == region;
    });
  };
  for (const auto& given : turn.overrides)
    if (given.kind == OverrideKind::escape && !escapes_at_once(given.region)) {
      const auto then = touching_.find(turn.window);
      if (then == touching_.end()) continue;
      const auto seeds = then->second.find(given.region);
      if (seeds != then->second.end()) escapes_[given.region] = {turn.window, seeds->second, 0};
    }
}

}  // namespace esper::sim
