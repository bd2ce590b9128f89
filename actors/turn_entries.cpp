#include "actors/turn_entries.hpp"

#include <algorithm>

#include "messages/json.hpp"

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
                        .payload = canonical(message),
                        .measured = std::move(measured)});
    return next_++;
  }
  [[nodiscard]] std::vector<JournalEntry> take() { return std::move(entries_); }

 private:
  Window window_;
  std::uint64_t next_;
  std::vector<JournalEntry> entries_;
};

template <Described T>
std::vector<T> payloads(const std::vector<JournalEntry>& entries, Window window, Role role,
                        std::optional<RegionId> region = std::nullopt) {
  std::vector<T> found;
  for (const auto& entry : entries)
    if (entry.window == window && entry.role == role && entry.kind == T::schema.name &&
        (!region || entry.region == *region))
      found.push_back(parsed<T>(entry.payload));
  return found;
}

std::optional<CheckpointReady> checkpoint_in(const std::vector<JournalEntry>& entries,
                                             Window window) {
  const auto found = payloads<CheckpointReady>(entries, window, Role::tolaria);
  return found.empty() ? std::nullopt : std::optional{found.front()};
}

/// Entries in window order, one slice per window.
std::map<Window, std::vector<JournalEntry>> by_window(const std::vector<JournalEntry>& entries) {
  std::map<Window, std::vector<JournalEntry>> slices;
  for (const auto& entry : entries)
    if (entry.window.value > 0) slices[entry.window].push_back(entry);
  return slices;
}

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
      list.add(Role::tolaria, {}, summary_of(turn.report), 0, canonical(turn.report.device));
  if (turn.report.checkpoint) list.add(Role::tolaria, {}, *turn.report.checkpoint, summary);
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

std::vector<TurnRecord> narset_records(const std::vector<JournalEntry>& entries, RegionId region) {
  std::vector<TurnRecord> records;
  Answers answers;
  answers.region = region;
  for (const auto& [window, slice] : by_window(entries)) {
    TurnRecord record;
    record.window = window;
    RegionTurn& input = record.input.emplace();
    input.window = window;
    input.answers = std::exchange(answers, {});
    answers.region = region;
    const auto telemetry = payloads<RegionTelemetry>(slice, window, Role::tolaria, region);
    if (!telemetry.empty()) input.telemetry = telemetry.front();
    input.outcomes = payloads<Outcome>(slice, window, Role::kasmina, region);
    input.checkpoint = checkpoint_in(slice, window);
    input.surgeries = payloads<SurgeryOutcome>(slice, window, Role::kasmina);
    record.read_back = payloads<SeedStatus>(slice, window, Role::narset, region);
    const auto reports = payloads<RegionReport>(slice, window, Role::narset, region);
    record.present = !reports.empty();
    if (record.present) record.epoch = reports.front().epoch;
    records.push_back(std::move(record));
    if (const auto strategy = strategy_in(slice, window))
      for (const auto& given : strategy->answers)
        if (given.region == region) answers = given;
  }
  return records;
}

std::vector<TurnRecord> tamiyo_records(const std::vector<JournalEntry>& entries) {
  std::vector<TurnRecord> records;
  for (const auto& [window, slice] : by_window(entries)) {
    const auto strategy = strategy_in(slice, window);
    TurnRecord record;
    record.window = window;
    record.present = strategy.has_value();
    if (strategy) record.epoch = strategy->epoch;
    TurnReports& turn = record.reports.emplace();
    turn.window = window;
    turn.reports = payloads<RegionReport>(slice, window, Role::narset);
    turn.proposals = payloads<OpportunityProposal>(slice, window, Role::narset);
    turn.scaffold_requests = payloads<ScaffoldRequest>(slice, window, Role::narset);
    turn.escalations = payloads<Escalation>(slice, window, Role::narset);
    turn.checkpoint = checkpoint_in(slice, window);
    turn.surgeries = payloads<SurgeryOutcome>(slice, window, Role::kasmina);
    for (const auto& pruning : payloads<PruningPart>(slice, window, Role::emrakul))
      turn.plan = pruning.plan;
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<TurnRelease> release_records(const std::vector<JournalEntry>& entries,
                                         Window released) {
  std::vector<TurnRelease> releases;
  for (const auto& [window, slice] : by_window(entries)) {
    if (window <= released) continue;
    TurnRelease& release = releases.emplace_back();
    release.turn = window;
    release.commands = payloads<AdaptationCommand>(slice, window, Role::narset);
    if (const auto strategy = strategy_in(slice, window)) {
      release.surgery = strategy->surgery;
      release.zone_version = strategy->zones.version;
    }
    release.journal_sequence = slice.back().sequence;
  }
  return releases;
}

std::optional<StrategyPart> strategy_in(const std::vector<JournalEntry>& entries, Window window) {
  const auto found = payloads<StrategyPart>(entries, window, Role::tamiyo);
  return found.empty() ? std::nullopt : std::optional{found.front()};
}

std::optional<Catalogue> catalogue_in(const std::vector<JournalEntry>& entries) {
  const auto found = payloads<Catalogue>(entries, Window{0}, Role::urza);
  return found.empty() ? std::nullopt : std::optional{found.front()};
}

}  // namespace esper
