#include "actors/turn_history.hpp"

#include "messages/canonical.hpp"

namespace esper {

namespace {

/// Reads the entry when it holds a T, and hands it on. False: it holds something else.
template <Described T, typename Take>
bool read_as(const JournalEntry& entry, Take&& take) {
  if (entry.kind != T::schema.name) return false;
  take(parsed_canonical<T>(entry.payload));
  return true;
}

template <Described T>
bool append(const JournalEntry& entry, std::vector<T>& list) {
  return read_as<T>(entry, [&](T&& message) { list.push_back(std::move(message)); });
}

void take_summary(const JournalEntry& entry, const WindowSummary& summary, WindowReport& report) {
  report.window = summary.window;
  report.tick = summary.tick;
  report.step = summary.step;
  report.operations = summary.operations;
  report.overhead_paused = summary.overhead_paused;
  report.verdict_ignored = summary.verdict_ignored;
  report.stalled = summary.stalled;
  if (!entry.measured.empty()) report.device = parsed_canonical<DeviceTelemetry>(entry.measured);
}

bool read_trainer(const JournalEntry& entry, WindowReport& report) {
  return read_as<WindowSummary>(
             entry, [&](const WindowSummary& told) { take_summary(entry, told, report); }) ||
         read_as<CheckpointReady>(entry,
                                  [&](CheckpointReady&& ready) { report.checkpoint = ready; }) ||
         append(entry, report.regions) || append(entry, report.applied) ||
         append(entry, report.surgeries) || append(entry, report.outcomes) ||
         append(entry, report.overrides) || append(entry, report.faults);
}

bool read_narset(const JournalEntry& entry, ClosedTurn& turn) {
  if (entry.role != Role::narset) return false;
  RegionPart& part = turn.parts[entry.region];
  return read_as<RegionReport>(entry,
                               [&](RegionReport&& told) { part.report = std::move(told); }) ||
         append(entry, part.read_back) || append(entry, part.gates) || append(entry, part.prices) ||
         append(entry, part.commands) || append(entry, part.proposals) ||
         append(entry, part.escalations) || append(entry, part.scaffold_requests);
}

/// Elesh's numbers have an entry of their own, before Emrakul's.
bool read_pruning(const JournalEntry& entry, ClosedTurn& turn) {
  return read_as<ImportanceReport>(entry,
                                   [&](ImportanceReport&& importance) {
                                     turn.pruning.emplace().importance = std::move(importance);
                                   }) ||
         read_as<PruningPart>(entry, [&](PruningPart&& part) {
           if (turn.pruning) part.importance = std::move(turn.pruning->importance);
           turn.pruning = std::move(part);
         });
}

void read_entry(const JournalEntry& entry, ClosedTurn& turn) {
  const bool known =
      read_trainer(entry, turn.report) || read_narset(entry, turn) || read_pruning(entry, turn) ||
      read_as<StrategyPart>(entry, [&](StrategyPart&& part) { turn.strategy = std::move(part); }) ||
      append(entry, turn.absences) || append(entry, turn.restarts) || append(entry, turn.breakers);
  if (!known)
    throw MalformedJson("entry " + std::to_string(entry.sequence) + " is of kind " + entry.kind +
                        ", which no turn holds");
}

template <Described... Kinds>
std::vector<std::string_view> names_of() {
  return {Kinds::schema.name...};
}

/// What a Narset decides from is its own region's, and what is the whole host's.
EntryChoice serves_narset(RegionId region) {
  return {.kinds = names_of<StrategyPart, CheckpointReady, SurgeryOutcome, Override>(),
          .region_kinds = names_of<RegionTelemetry, Outcome, RegionReport, SeedStatus>(),
          .region = region};
}

EntryChoice serves_tamiyo() {
  return {.kinds = names_of<RegionReport, OpportunityProposal, ScaffoldRequest, Escalation,
                            CheckpointReady, SurgeryOutcome, Override, PruningPart, StrategyPart>(),
          .region_kinds = {},
          .region = {}};
}

EntryChoice serves_kasmina() {
  return {.kinds = names_of<AdaptationCommand, StrategyPart>(), .region_kinds = {}, .region = {}};
}

/// Every turn has a summary: with it none is missed that has nothing else of what was chosen.
EntryChoice with_each_turn(EntryChoice choice) {
  choice.kinds.push_back(WindowSummary::schema.name);
  return choice;
}

ClosedTurn& turn_at(std::vector<ClosedTurn>& turns, Window window) {
  if (turns.empty() || turns.back().report.window != window)
    turns.emplace_back().report.window = window;
  return turns.back();
}

/// Of each turn only what `serves` is read: a past is told while a turn waits for it.
std::vector<ClosedTurn> turns_of(const std::vector<JournalEntry>& entries,
                                 const EntryChoice& serves) {
  std::vector<ClosedTurn> turns;
  for (const auto& entry : entries) {
    if (entry.window.value == 0) continue;
    ClosedTurn& turn = turn_at(turns, entry.window);
    if (serves.has(entry.kind, entry.region)) read_entry(entry, turn);
  }
  return turns;
}

template <Described T>
std::optional<T> opening_in(const std::vector<JournalEntry>& entries) {
  for (const auto& entry : entries)
    if (entry.window.value == 0 && entry.kind == T::schema.name)
      return parsed_canonical<T>(entry.payload);
  return std::nullopt;
}

}  // namespace

std::vector<ClosedTurn> turns_in(const std::vector<JournalEntry>& entries) {
  std::vector<ClosedTurn> turns;
  for (const auto& entry : entries)
    if (entry.window.value != 0) read_entry(entry, turn_at(turns, entry.window));
  return turns;
}

TurnRecord narset_record(const ClosedTurn& turn, RegionId region,
                         const std::vector<Answers>& answers) {
  TurnRecord record;
  record.window = turn.report.window;
  record.input = region_turn(turn.report, region, answers);
  if (const auto part = turn.parts.find(region); part != turn.parts.end()) {
    record.present = true;
    record.epoch = part->second.report.epoch;
    record.read_back = part->second.read_back;
  }
  return record;
}

std::vector<TurnRecord> narset_records(const std::vector<JournalEntry>& entries, RegionId region) {
  std::vector<TurnRecord> records;
  std::vector<Answers> answers;
  for (const auto& turn : turns_of(entries, serves_narset(region))) {
    records.push_back(narset_record(turn, region, answers));
    answers = answers_in(turn);
  }
  return records;
}

EntryChoice narset_choice(RegionId region) { return with_each_turn(serves_narset(region)); }

TurnRecord tamiyo_record(const ClosedTurn& turn) {
  TurnRecord record;
  record.window = turn.report.window;
  record.reports = reports_of(turn);
  record.present = turn.strategy.has_value();
  if (turn.strategy) record.epoch = turn.strategy->epoch;
  return record;
}

std::vector<TurnRecord> tamiyo_records(const std::vector<JournalEntry>& entries) {
  std::vector<TurnRecord> records;
  for (const auto& turn : turns_of(entries, serves_tamiyo()))
    records.push_back(tamiyo_record(turn));
  return records;
}

EntryChoice tamiyo_choice() { return with_each_turn(serves_tamiyo()); }

std::vector<TurnRelease> release_records(
    const std::vector<JournalEntry>& entries,
    const std::function<std::string(std::uint64_t sequence)>& head_at) {
  std::vector<TurnRelease> releases;
  for (const auto& turn : turns_of(entries, serves_kasmina())) releases.push_back(release_of(turn));
  auto release = releases.begin();
  for (const auto& entry : entries) {
    while (release != releases.end() && release->turn < entry.window) ++release;
    if (release != releases.end() && release->turn == entry.window)
      release->journal_sequence = entry.sequence;
  }
  for (auto& one : releases) one.journal_head = head_at(one.journal_sequence);
  return releases;
}

std::vector<Answers> answers_in(const ClosedTurn& turn) {
  return turn.strategy ? turn.strategy->answers : std::vector<Answers>{};
}

std::optional<CheckpointReady> newest_copy_in(const std::vector<JournalEntry>& entries) {
  std::optional<CheckpointReady> newest;
  for (const auto& entry : entries)
    read_as<CheckpointReady>(entry, [&](CheckpointReady&& ready) {
      if (ready.measurable) newest = std::move(ready);
    });
  return newest;
}

EntryChoice copy_choice() {
  return {.kinds = names_of<CheckpointReady>(), .region_kinds = {}, .region = {}};
}

std::optional<Catalogue> catalogue_in(const std::vector<JournalEntry>& entries) {
  return opening_in<Catalogue>(entries);
}

std::optional<HostDescription> host_in(const std::vector<JournalEntry>& entries) {
  return opening_in<HostDescription>(entries);
}

}  // namespace esper
