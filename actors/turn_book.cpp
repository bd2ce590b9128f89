#include "actors/turn_book.hpp"

#include "actors/decisions/cycles.hpp"

namespace esper {

TurnBook::TurnBook(std::uint32_t regions, const TimeConfig& time, bool compaction)
    : regions_(regions), time_(time), compaction_(compaction) {
  for (std::uint32_t region = 0; region < regions; ++region) present_.insert(RegionId{region});
}

void TurnBook::open(const WindowReport& report) {
  if (turn_ || report.window <= committed_) return;
  turn_.emplace();
  turn_->report = report;
  turn_->restarts = std::exchange(restarts_, {});
  awaited_ = present_;
  for (std::uint32_t i = 0; i < regions_; ++i)
    if (!present_.contains(RegionId{i}))
      turn_->absences.push_back({.role = Role::narset, .region = RegionId{i}, .reason = "down"});
  if (!tamiyo_present_)
    turn_->absences.push_back({.role = Role::tamiyo, .region = {}, .reason = "down"});
  if (planned_checkpoint() > 0 && !emrakul_present_)
    turn_->absences.push_back({.role = Role::emrakul, .region = {}, .reason = "down"});
}

std::uint64_t TurnBook::planned_checkpoint() const {
  if (!compaction_) return 0;
  const std::uint64_t next =
      checkpoint_at(turn_->report.window + 1, time_.cycle_windows, time_.checkpoint_cycles);
  return next > 1 && measured_ == next - 1 ? measured_ : 0;
}

bool TurnBook::pruning_in() const {
  return planned_checkpoint() == 0 || !emrakul_present_ || turn_->pruning;
}

std::optional<PlanningTurn> TurnBook::planning() const {
  if (!turn_ || pruning_in() || !regions_in()) return std::nullopt;
  return planning_turn(*turn_, strategy_, planned_checkpoint());
}

void TurnBook::add(const RegionPart& part) {
  if (!turn_ || part.report.window != turn_->report.window) return;
  if (!present_.contains(part.report.region)) return;
  if (!admitted(Role::narset, part.report.region, part.report.epoch)) return;
  turn_->parts.emplace(part.report.region, part);
  awaited_.erase(part.report.region);
}

void TurnBook::add(const PruningPart& part) {
  if (!turn_ || part.window != turn_->report.window || pruning_in()) return;
  turn_->pruning = part;
}

void TurnBook::add(const StrategyPart& part) {
  if (!turn_ || part.window != turn_->report.window || !tamiyo_present_) return;
  if (!admitted(Role::tamiyo, {}, part.epoch)) return;
  if (regions_in() && pruning_in() && !turn_->strategy) turn_->strategy = part;
}

void TurnBook::leave(Role role, RegionId region, const std::string& reason) {
  const bool was_present = role == Role::narset    ? present_.erase(region) > 0
                           : role == Role::tamiyo  ? std::exchange(tamiyo_present_, false)
                           : role == Role::emrakul ? std::exchange(emrakul_present_, false)
                                                   : false;
  if (role == Role::narset) awaited_.erase(region);
  if (!was_present || !turn_) return;
  const bool answered = role == Role::narset   ? turn_->parts.contains(region)
                        : role == Role::tamiyo ? turn_->strategy.has_value()
                                               : planned_checkpoint() == 0 || turn_->pruning;
  if (!answered) turn_->absences.push_back({.role = role, .region = region, .reason = reason});
}

void TurnBook::admit(Role role, RegionId region, Epoch epoch) {
  auto& newest = epochs_[{role, region}];
  newest = std::max(newest, epoch);
}

bool TurnBook::admitted(Role role, RegionId region, Epoch epoch) const {
  const auto newest = epochs_.find({role, region});
  return newest == epochs_.end() || epoch >= newest->second;
}

void TurnBook::join(Role role, RegionId region, Epoch epoch) {
  admit(role, region, epoch);
  if (role == Role::narset) {
    present_.insert(region);
    if (turn_ && !turn_->parts.contains(region)) awaited_.insert(region);
  }
  if (role == Role::tamiyo) tamiyo_present_ = true;
  if (role == Role::emrakul) emrakul_present_ = true;
}

void TurnBook::note(const Restart& restart) {
  (turn_ ? turn_->restarts : restarts_).push_back(restart);
}

bool TurnBook::can_join(Role role, RegionId region) const {
  if (!turn_) return true;
  if (role == Role::narset) return present_.contains(region) && !turn_->parts.contains(region);
  if (role == Role::tamiyo) return tamiyo_present_ && !turn_->strategy;
  if (role == Role::emrakul) return planned_checkpoint() == 0 || !pruning_in();
  return true;
}

std::optional<TurnReports> TurnBook::reports() const {
  if (!turn_ || !tamiyo_present_ || turn_->strategy || !regions_in() || !pruning_in())
    return std::nullopt;
  return reports_of(*turn_);
}

bool TurnBook::complete() const {
  return turn_ && regions_in() && pruning_in() && (turn_->strategy || !tamiyo_present_);
}

void TurnBook::close() {
  committed_ = turn_->report.window;
  if (const auto& ready = turn_->report.checkpoint; ready && ready->measurable)
    measured_ = ready->checkpoint;
  strategy_ = std::move(turn_->strategy);
  turn_.reset();
}

void TurnBook::resume(Window committed, std::optional<StrategyPart> strategy,
                      std::uint64_t measured) {
  committed_ = committed;
  measured_ = measured;
  strategy_ = std::move(strategy);
}

}  // namespace esper
