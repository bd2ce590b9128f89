#include "actors/turn_entries.hpp"

#include <algorithm>

#include "actors/decisions/of_region.hpp"
#include "messages/canonical.hpp"

namespace esper {

namespace {

/// Numbers entries as they come; callers add them in the journal's order.
class EntryList {
 public:
  EntryList(Window window, std::uint64_t next_sequence) : window_(window), next_(next_sequence) {}

  template <Described T>
  std::uint64_t add(Role role, RegionId region, const T& message, std::uint64_t cause,
                    // clang-tidy doesn't see the move in the list below.
                    // NOLINTNEXTLINE(performance-unnecessary-value-param)
                    std::string measured = "") {
    const bool same =
        !entries_.empty() && entries_.back().role == role && entries_.back().region == region;
    entries_.push_back({.sequence = next_,
                        .window = window_,
                        .role = role,
                        .region = region,
                        .ordinal = same ? entries_.back().ordinal + 1 : 0,
                        .kind = std::string{T::schema.name},
                        .cause = cause,
                        .payload = canonical_text(message),
                        .measured = std::move(measured)});
    return next_++;
  }
  [[nodiscard]] std::vector<JournalEntry> take() { return std::move(entries_); }

 private:
  Window window_;
  std::uint64_t next_;
  std::vector<JournalEntry> entries_;
};

WindowSummary summary_of(const WindowReport& report) {
  return {.window = report.window,
          .tick = report.tick,
          .step = report.step,
          .operations = report.operations,
          .overhead_paused = report.overhead_paused,
          .verdict_ignored = report.verdict_ignored,
          .stalled = report.stalled};
}

void add_region_part(EntryList& list, const RegionPart& part, std::uint64_t cause,
                     CommandEntries& commands) {
  const RegionId region = part.report.region;
  for (const auto& status : part.read_back) list.add(Role::narset, region, status, cause);
  const auto report = list.add(Role::narset, region, part.report, cause);
  for (const auto& gate : part.gates) list.add(Role::narset, region, gate, report);
  for (const auto& price : part.prices) list.add(Role::narset, region, price, report);
  for (const auto& command : part.commands)
    commands[command.id] = list.add(Role::narset, region, command, report);
  for (const auto& proposal : part.proposals) list.add(Role::narset, region, proposal, report);
  for (const auto& escalation : part.escalations)
    list.add(Role::narset, region, escalation, report);
  for (const auto& request : part.scaffold_requests)
    list.add(Role::narset, region, request, report);
}

/// Elesh's numbers are an input of Emrakul's, with an entry of their own.
std::uint64_t add_pruning(EntryList& list, PruningPart part, std::uint64_t cause) {
  if (const auto importance = std::exchange(part.importance, std::nullopt))
    cause = list.add(Role::elesh, {}, *importance, cause);
  return list.add(Role::emrakul, {}, part, cause);
}

}  // namespace

std::vector<JournalEntry> entries_of(const ClosedTurn& turn, std::uint64_t next_sequence,
                                     CommandEntries& commands) {
  EntryList list(turn.report.window, next_sequence);
  std::map<RegionId, std::uint64_t> telemetry;
  const auto summary =
      list.add(Role::tolaria, {}, summary_of(turn.report), 0, canonical_text(turn.report.device));
  if (turn.report.checkpoint) list.add(Role::tolaria, {}, *turn.report.checkpoint, summary);
  for (const auto& given : turn.report.overrides) list.add(Role::tolaria, {}, given, summary);
  for (const auto& injected : turn.report.faults) list.add(Role::tolaria, {}, injected, summary);
  for (const auto& region : turn.report.regions)
    telemetry[region.region] = list.add(Role::tolaria, region.region, region, summary);
  for (const auto& applied : turn.report.applied) list.add(Role::kasmina, {}, applied, summary);
  for (const auto& surgery : turn.report.surgeries) list.add(Role::kasmina, {}, surgery, summary);

  auto outcomes = turn.report.outcomes;
  std::stable_sort(outcomes.begin(), outcomes.end(),
                   [](const Outcome& a, const Outcome& b) { return a.region < b.region; });
  for (const auto& outcome : outcomes) {
    const auto command = commands.find(outcome.command);
    const bool known = !outcome.reflex && command != commands.end();
    list.add(Role::kasmina, outcome.region, outcome, known ? command->second : summary);
    if (known) commands.erase(command);
  }
  std::uint64_t last = summary;
  for (const auto& [region, part] : turn.parts) {
    last = telemetry.contains(region) ? telemetry.at(region) : summary;
    add_region_part(list, part, last, commands);
  }
  if (turn.pruning) last = add_pruning(list, *turn.pruning, summary);
  if (turn.strategy) list.add(Role::tamiyo, {}, *turn.strategy, last);
  for (const auto& absence : turn.absences)
    list.add(Role::supervisor, absence.region, absence, summary);
  for (const auto& restart : turn.restarts)
    list.add(Role::supervisor, restart.region, restart, summary);
  for (const auto& change : turn.breakers) list.add(Role::supervisor, {}, change, summary);
  return list.take();
}

TurnRelease release_of(const ClosedTurn& turn) {
  TurnRelease release;
  release.turn = turn.report.window;
  if (turn.strategy) {
    release.surgery = turn.strategy->surgery;
    release.zone_version = turn.strategy->zones.version;
  }
  for (const auto& [region, part] : turn.parts)
    release.commands.insert(release.commands.end(), part.commands.begin(), part.commands.end());
  return release;
}

TurnReports reports_of(const ClosedTurn& turn) {
  TurnReports reports;
  reports.window = turn.report.window;
  reports.checkpoint = turn.report.checkpoint;
  reports.surgeries = turn.report.surgeries;
  reports.overrides = turn.report.overrides;
  if (turn.pruning) reports.plan = turn.pruning->plan;
  const auto append = [](auto& all, const auto& some) {
    all.insert(all.end(), some.begin(), some.end());
  };
  for (const auto& [region, part] : turn.parts) {
    reports.reports.push_back(part.report);
    append(reports.proposals, part.proposals);
    append(reports.scaffold_requests, part.scaffold_requests);
    append(reports.escalations, part.escalations);
  }
  return reports;
}

namespace {

RegionTurn without_outcomes(const WindowReport& report, RegionId region,
                            const std::vector<Answers>& answers) {
  RegionTurn turn;
  turn.window = report.window;
  turn.checkpoint = report.checkpoint;
  turn.surgeries = report.surgeries;
  turn.answers.region = region;
  for (const auto& given : report.overrides)
    if (given.kind != OverrideKind::posture && given.region == region)
      turn.overrides.push_back(given);
  if (const auto* telemetry = of_region(report.regions, region)) turn.telemetry = *telemetry;
  if (const auto* given = of_region(answers, region)) turn.answers = *given;
  return turn;
}

}  // namespace

RegionTurn region_turn(const WindowReport& report, RegionId region,
                       const std::vector<Answers>& answers) {
  auto turn = without_outcomes(report, region, answers);
  for (const auto& outcome : report.outcomes)
    if (outcome.region == region) turn.outcomes.push_back(outcome);
  return turn;
}

std::map<RegionId, RegionTurn> region_turns(const WindowReport& report,
                                            const std::vector<Answers>& answers) {
  std::map<RegionId, RegionTurn> turns;
  for (const auto& telemetry : report.regions)
    turns.emplace(telemetry.region, without_outcomes(report, telemetry.region, answers));
  for (const auto& outcome : report.outcomes)
    if (const auto turn = turns.find(outcome.region); turn != turns.end())
      turn->second.outcomes.push_back(outcome);
  return turns;
}

PlanningTurn planning_turn(const ClosedTurn& turn, const std::optional<StrategyPart>& before,
                           std::uint64_t checkpoint) {
  PlanningTurn planning;
  planning.window = turn.report.window;
  planning.checkpoint = checkpoint;
  for (const auto& [region, part] : turn.parts)
    if (part.report.seeds > 0 || part.report.frozen) planning.busy.push_back(region);
  if (before) {
    planning.allowance = before->compaction;
    planning.zones = before->zones;
    planning.layers_needed = before->layers_needed;
  }
  return planning;
}

}  // namespace esper
