#include "sim/chaos_verdict.hpp"

#include "actors/turn_history.hpp"
#include "runtime/journal_kinds.hpp"
#include "runtime/replay.hpp"
#include "sim/check_answers.hpp"
#include "sim/check_ledger.hpp"
#include "sim/check_record.hpp"
#include "sim/check_throttle.hpp"
#include "sim/check_zones.hpp"

namespace esper::sim {

namespace {

class JournalChecks {
 public:
  JournalChecks(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue,
                Findings& findings)
      : ledger_(findings, config.time.cycle_windows),
        throttle_(findings, config, static_cast<std::uint32_t>(host.regions.size())),
        zones_(findings, host, catalogue, config.scaffolds.radius),
        answers_(findings),
        record_(findings) {}

  void take(const SeenTurn& turn) {
    ledger_.take(turn);
    throttle_.take(turn, ledger_.spent_last_cycle());
    // At the boundary that closed this window; what its turn decides on zones came after.
    for (const auto& surgery : turn.surgeries)
      if (surgery.refusal == SurgeryRefusal::none) zones_.operated(surgery, turn.window);
    zones_.take(turn);
    answers_.take(turn);
    record_.take(turn);
  }

 private:
  LedgerCheck ledger_;
  ThrottleCheck throttle_;
  ZoneCheck zones_;
  AnswerCheck answers_;
  RecordCheck record_;
};

void audit(const std::vector<JournalEntry>& entries, Findings& findings) {
  const auto again = replay(entries);
  if (!again.first) return;
  const auto& first = *again.first;
  findings.report("AUDIT-1", "window " + std::to_string(first.window.value) + ": entry " +
                                 std::to_string(first.sequence) + " (" + first.kind +
                                 ") is not what its inputs make, at " + first.fields.front().place +
                                 ": " + first.fields.front().journalled + " and " +
                                 first.fields.front().replayed);
}

}  // namespace

ChaosVerdict judged(const std::vector<JournalEntry>& entries, const RunConfig& config,
                    Window from) {
  ChaosVerdict verdict;
  Findings findings;
  try {
    const auto host = host_in(entries).value_or(HostDescription{});  // checks refer to both
    const auto catalogue = catalogue_in(entries).value_or(Catalogue{});
    JournalChecks checks(config, host, catalogue, findings);
    std::vector<JournalEntry> turn;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].window.value == 0) continue;
      turn.push_back(entries[i]);
      if (i + 1 < entries.size() && entries[i + 1].window == entries[i].window) continue;
      const auto seen = seen_turn(turn);
      checks.take(seen);
      if (seen.window > from) verdict.coverage.take(seen);
      ++verdict.turns;
      for (const auto& entry : turn) {
        if (entry.window <= from) break;
        visit_payload<WindowSummary>(entry, [&](const auto& summary) {
          if (summary.stalled) verdict.coverage.count("turn/stalled");
        });
        visit_payload<InjectedFault>(entry, [&](const auto& injected) {
          verdict.coverage.count("fault/" + std::string{name_of(injected.fault.kind)});
        });
      }
      turn.clear();
    }
    audit(entries, findings);
  } catch (const std::exception& error) {
    findings.report("AUDIT-1", std::string{"the journal can't be read: "} + error.what());
  }
  verdict.violations = findings.found();
  return verdict;
}

}  // namespace esper::sim
