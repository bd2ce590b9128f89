#include "runtime/control/run_status.hpp"

#include <algorithm>

#include "runtime/journal_kinds.hpp"
#include "runtime/trace_text.hpp"

namespace esper {
namespace {

constexpr std::size_t events_max = 12;

}  // namespace

RegionStanding* StatusAccount::region(RegionId id) {
  return id.value < status_.regions.size() ? &status_.regions[id.value] : nullptr;
}

void StatusAccount::begin_window(const WindowSummary& summary) {
  status_.window = summary.window;
  status_.step = summary.step;
  std::erase_if(status_.overrides, [&](const Override& one) { return one.until < summary.window; });
  for (RegionStanding& standing : status_.regions) standing.absent.clear();
}

void StatusAccount::take(const RegionTelemetry& telemetry) {
  RegionStanding* standing = region(telemetry.region);
  if (standing == nullptr) return;
  standing->loss = telemetry.loss_mean;
  standing->seeds.clear();
  for (const SeedTelemetry& seed : telemetry.seeds)
    standing->seeds.push_back(
        {seed.seed, seed.slot.value < host_.slots.size() ? host_.slots[seed.slot.value].name : "",
         blueprints_[seed.seed], std::string{name_of(seed.stage)}, seed.alpha});
}

void StatusAccount::take(const RegionReport& report) {
  RegionStanding* standing = region(report.region);
  if (standing == nullptr) return;
  standing->stable = report.stable;
  standing->in_crisis = report.in_crisis;
  standing->frozen = report.frozen;
  standing->held = report.held;
  standing->asked = report.asked;
  standing->epoch = report.epoch.value;
}

void StatusAccount::take(const StrategyPart& part) {
  if (part.posture) status_.posture = name_of(part.posture->to);
  status_.energy = part.balance;
  for (const Answers& answers : part.answers)
    if (RegionStanding* standing = region(answers.region)) standing->embargoed = answers.embargoed;
}

void StatusAccount::take(const Outcome& outcome) {
  RegionStanding* standing = region(outcome.region);
  if (standing == nullptr) return;
  for (SeedStanding& seed : standing->seeds)
    if (seed.seed == outcome.seed && outcome.refusal == CommandRefusal::none) {
      seed.stage = name_of(outcome.stage);
      seed.alpha = outcome.alpha;
    }
}

void StatusAccount::say(const JournalEntry& entry) {
  std::string line = "window " + std::to_string(entry.window.value) + "  ";
  const bool regional = entry.role == Role::narset || entry.kind == Outcome::schema.name;
  if (regional && entry.region.value < host_.regions.size())
    line += host_.regions[entry.region.value].name + "  ";
  events_.push_back(line + sentence_for(entry, host_));
  if (events_.size() > events_max) events_.pop_front();
}

void StatusAccount::take(const JournalEntry& entry) {
  visit_payload<HostDescription>(entry, [&](const HostDescription& host) {
    host_ = host;
    status_.posture = name_of(Posture::explore);
    for (const auto& described : host.regions)
      status_.regions.emplace_back().region = described.name;
  });
  visit_payload<WindowSummary>(entry, [&](const auto& summary) { begin_window(summary); });
  visit_payload<RegionTelemetry>(entry, [&](const auto& telemetry) { take(telemetry); });
  visit_payload<RegionReport>(entry, [&](const auto& report) { take(report); });
  visit_payload<AdaptationCommand>(entry, [&](const AdaptationCommand& given) {
    if (given.kind == CommandKind::germinate) blueprints_[given.seed] = given.blueprint;
  });
  visit_payload<StrategyPart>(entry, [&](const StrategyPart& part) {
    take(part);
    if (part.posture || part.surgery) say(entry);
  });
  visit_payload<Outcome>(entry, [&](const Outcome& outcome) {
    take(outcome);
    say(entry);
  });
  visit_payload<GateVerdict>(entry, [&](const GateVerdict& verdict) {
    if (verdict.gate != "G0" || verdict.passed) say(entry);
  });
  visit_payload<SurgeryOutcome>(entry, [&](const auto&) { say(entry); });
  visit_payload<Override>(entry, [&](const Override& given) {
    status_.overrides.push_back(given);
    say(entry);
  });
  visit_payload<Absence>(entry, [&](const Absence& absence) {
    if (absence.role != Role::narset) return;
    if (RegionStanding* standing = region(absence.region)) standing->absent = absence.reason;
  });
  visit_payload<Restart>(entry, [&](const Restart&) {
    ++status_.restarts;
    say(entry);
  });
}

RunStatus StatusAccount::status() const {
  RunStatus status = status_;
  status.events.assign(events_.begin(), events_.end());
  return status;
}

}  // namespace esper
