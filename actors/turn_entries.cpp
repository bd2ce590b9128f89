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
}

}  // namespace

std::vector<JournalEntry> entries_of(const ClosedTurn& turn, std::uint64_t next_sequence,
                                     CommandEntries& commands) {
  EntryList list(turn.report.window, next_sequence);
  std::map<RegionId, std::uint64_t> telemetry;
  const auto summary =
      list.add(Role::tolaria, {}, summary_of(turn.report), 0, canonical(turn.report.device));
  for (const auto& region : turn.report.regions)
    telemetry[region.region] = list.add(Role::tolaria, region.region, region, summary);
  for (const auto& applied : turn.report.applied) list.add(Role::kasmina, {}, applied, summary);

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
  if (turn.strategy) list.add(Role::tamiyo, {}, *turn.strategy, last);
  for (const auto& absence : turn.absences)
    list.add(Role::supervisor, absence.region, absence, summary);
  for (const auto& restart : turn.restarts)
    list.add(Role::supervisor, restart.region, restart, summary);
  return list.take();
}

TurnRelease release_of(const ClosedTurn& turn) {
  TurnRelease release{.turn = turn.report.window, .commands = {}};
  for (const auto& [region, part] : turn.parts)
    release.commands.insert(release.commands.end(), part.commands.begin(), part.commands.end());
  return release;
}

std::vector<TurnRecord> narset_records(const std::vector<JournalEntry>& entries, RegionId region) {
  std::vector<TurnRecord> records;
  Answers answers{.region = region, .allocation = {}, .verdicts = {}, .top_ups = {}, .expired = {}};
  for (const auto& [window, slice] : by_window(entries)) {
    TurnRecord record{.window = window,
                      .inputs = {},
                      .reports = {},
                      .proposals = {},
                      .read_back = {},
                      .present = false,
                      .epoch = {}};
    RegionTurn input{.window = window, .telemetry = {}, .outcomes = {}, .answers = answers};
    const auto telemetry = payloads<RegionTelemetry>(slice, window, Role::tolaria, region);
    if (!telemetry.empty()) input.telemetry = telemetry.front();
    input.outcomes = payloads<Outcome>(slice, window, Role::kasmina, region);
    record.inputs.push_back(std::move(input));
    record.reports = payloads<RegionReport>(slice, window, Role::narset, region);
    record.read_back = payloads<SeedStatus>(slice, window, Role::narset, region);
    record.present = !record.reports.empty();
    if (record.present) record.epoch = record.reports.front().epoch;
    records.push_back(std::move(record));
    answers = {.region = region, .allocation = {}, .verdicts = {}, .top_ups = {}, .expired = {}};
    for (const auto& given : answers_in(slice, window))
      if (given.region == region) answers = given;
  }
  return records;
}

std::vector<TurnRecord> tamiyo_records(const std::vector<JournalEntry>& entries) {
  std::vector<TurnRecord> records;
  for (const auto& [window, slice] : by_window(entries)) {
    const auto strategy = payloads<StrategyPart>(slice, window, Role::tamiyo);
    records.push_back({.window = window,
                       .inputs = {},
                       .reports = payloads<RegionReport>(slice, window, Role::narset),
                       .proposals = payloads<OpportunityProposal>(slice, window, Role::narset),
                       .read_back = {},
                       .present = !strategy.empty(),
                       .epoch = strategy.empty() ? Epoch{} : strategy.front().epoch});
  }
  return records;
}

std::vector<TurnRelease> release_records(const std::vector<JournalEntry>& entries,
                                         Window released) {
  std::vector<TurnRelease> releases;
  for (const auto& [window, slice] : by_window(entries))
    if (window > released)
      releases.push_back(
          {.turn = window, .commands = payloads<AdaptationCommand>(slice, window, Role::narset)});
  return releases;
}

std::vector<Answers> answers_in(const std::vector<JournalEntry>& entries, Window window) {
  const auto strategy = payloads<StrategyPart>(entries, window, Role::tamiyo);
  return strategy.empty() ? std::vector<Answers>{} : strategy.front().answers;
}

std::optional<Catalogue> catalogue_in(const std::vector<JournalEntry>& entries) {
  const auto found = payloads<Catalogue>(entries, Window{0}, Role::urza);
  return found.empty() ? std::nullopt : std::optional{found.front()};
}

}  // namespace esper
