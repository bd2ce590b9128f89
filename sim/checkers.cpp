#include "sim/checkers.hpp"

namespace esper::sim {

namespace {

constexpr std::uint64_t reservation_windows_max = 80;  // from being made until resolved
constexpr std::uint64_t liveness_windows = 12;         // within which every region takes part

}  // namespace

Checkers::Checkers(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue,
                   Coverage& coverage)
    : coverage_(coverage),
      regions_(static_cast<std::uint32_t>(host.regions.size())),
      ledger_(findings_, config.time.cycle_windows),
      throttle_(findings_, config, regions_),
      zones_(findings_, host, catalogue, config.scaffolds.radius),
      commands_(findings_, config),
      answers_(findings_) {}

void Checkers::committed(const std::vector<JournalEntry>& entries) {
  if (entries.empty() || entries.front().window.value == 0) return;
  const auto turn = seen_turn(entries);
  if (turn.window <= committed_)
    findings_.report("AUDIT-1", "the turn of window " + std::to_string(turn.window.value) +
                                    " was journalled again");
  committed_ = turn.window;
  ledger_.take(turn);
  throttle_.take(turn, ledger_.spent_last_cycle());
  zones_.take(turn);
  commands_.take(turn);
  answers_.take(turn);
  for (const auto& report : turn.reports) last_report_[report.region] = turn.window;
  coverage_.take(turn);
}

void Checkers::applied(const AdaptationCommand& command, const Outcome& outcome,
                       const std::vector<SimulatedSeed>& seeds) {
  commands_.applied(command, outcome, seeds);
  if (outcome.refusal == CommandRefusal::none && command.kind == CommandKind::graft) ++grafts_;
}

void Checkers::fenced(RegionId region, Epoch epoch) { commands_.fenced(region, epoch); }

void Checkers::operated(const SurgeryOrder& order, const SurgeryOutcome& outcome, Window window) {
  commands_.operated(order, outcome);
  if (outcome.refusal != SurgeryRefusal::none) return;
  ++surgeries_;
  zones_.operated(outcome, window);
}

void Checkers::reflexed(const std::vector<Outcome>&, const std::vector<SimulatedSeed>& seeds) {
  commands_.reflexed(seeds);
}

void Checkers::stepped(const std::vector<SimulatedSeed>& seeds, Window coming) {
  commands_.stepped(seeds, coming);
}

void Checkers::closed(const WindowReport& report, const std::vector<SimulatedSeed>& seeds) {
  commands_.closed(report.window, seeds);
  if (report.stalled) coverage_.count("turn/stalled");
}

void Checkers::waited(std::uint64_t ms, bool boundary) {
  waited_ms_ += ms;
  commands_.waited(ms, boundary);
}

void Checkers::finish(Window last) {
  coverage_.count("zone/opened", zones_.opened());
  coverage_.count("zone/lifted", zones_.lifted());
  const auto late = [&](const std::string& what) { findings_.report("LIVENESS", what); };
  if (committed_.value + 2 < last.value)
    late("the journal stands at window " + std::to_string(committed_.value) +
         ", the trainer at window " + std::to_string(last.value));
  for (std::uint32_t region = 0; region < regions_; ++region)
    if (last_report_[{region}].value + liveness_windows < last.value)
      late("region " + std::to_string(region) + " took part last in window " +
           std::to_string(last_report_[{region}].value));
  if (last.value > reservation_windows_max)
    if (const auto open = ledger_.open_since({last.value - reservation_windows_max}); open > 0)
      late(std::to_string(open) + " reservations were never resolved");
}

}  // namespace esper::sim
