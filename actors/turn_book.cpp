#include "actors/turn_book.hpp"

namespace esper {

TurnBook::TurnBook(std::uint32_t regions) : regions_(regions) {
  for (std::uint32_t region = 0; region < regions; ++region) present_.insert(RegionId{region});
}

void TurnBook::open(const WindowReport& report) {
  if (turn_ || report.window <= committed_) return;
  turn_ = ClosedTurn{.report = report,
                     .parts = {},
                     .strategy = {},
                     .absences = {},
                     .restarts = std::exchange(restarts_, {})};
  for (std::uint32_t i = 0; i < regions_; ++i)
    if (!present_.contains(RegionId{i}))
      turn_->absences.push_back({.role = Role::narset, .region = RegionId{i}, .reason = "down"});
  if (!tamiyo_present_)
    turn_->absences.push_back({.role = Role::tamiyo, .region = {}, .reason = "down"});
}

void TurnBook::add(const RegionPart& part) {
  if (!turn_ || part.report.window != turn_->report.window) return;
  if (!present_.contains(part.report.region)) return;
  turn_->parts.emplace(part.report.region, part);
}

void TurnBook::add(const StrategyPart& part) {
  if (!turn_ || part.window != turn_->report.window || !tamiyo_present_) return;
  if (regions_in() && !turn_->strategy) turn_->strategy = part;
}

void TurnBook::leave(Role role, RegionId region, const std::string& reason) {
  const bool was_present = role == Role::narset   ? present_.erase(region) > 0
                           : role == Role::tamiyo ? std::exchange(tamiyo_present_, false)
                                                  : false;
  if (!was_present || !turn_) return;
  const bool answered =
      role == Role::narset ? turn_->parts.contains(region) : turn_->strategy.has_value();
  if (!answered) turn_->absences.push_back({.role = role, .region = region, .reason = reason});
}

void TurnBook::join(Role role, RegionId region) {
  if (role == Role::narset) present_.insert(region);
  if (role == Role::tamiyo) tamiyo_present_ = true;
}

void TurnBook::note(const Restart& restart) {
  (turn_ ? turn_->restarts : restarts_).push_back(restart);
}

bool TurnBook::can_join(Role role, RegionId region) const {
  if (!turn_) return true;
  if (role == Role::narset) return present_.contains(region) && !turn_->parts.contains(region);
  if (role == Role::tamiyo) return tamiyo_present_ && !turn_->strategy;
  return true;
}

bool TurnBook::regions_in() const {
  for (const RegionId region : present_)
    if (!turn_->parts.contains(region)) return false;
  return true;
}

std::optional<TurnReports> TurnBook::reports() const {
  if (!turn_ || !tamiyo_present_ || turn_->strategy || !regions_in()) return std::nullopt;
  TurnReports reports{.window = turn_->report.window, .reports = {}, .proposals = {}};
  for (const auto& [region, part] : turn_->parts) {
    reports.reports.push_back(part.report);
    reports.proposals.insert(reports.proposals.end(), part.proposals.begin(), part.proposals.end());
  }
  return reports;
}

bool TurnBook::complete() const {
  return turn_ && regions_in() && (turn_->strategy || !tamiyo_present_);
}

void TurnBook::close() {
  committed_ = turn_->report.window;
  answers_ = turn_->strategy ? turn_->strategy->answers : std::vector<Answers>{};
  turn_.reset();
}

void TurnBook::resume(Window committed, std::vector<Answers> answers) {
  committed_ = committed;
  answers_ = std::move(answers);
}

}  // namespace esper
