#include "runtime/replay.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "actors/turn_replay.hpp"
#include "messages/logical_config.hpp"
#include "runtime/journal_kinds.hpp"

namespace esper {
namespace {

/// What Narsets decide; Emrakul's and Tamiyo's parts come after.
using NarsetKinds = std::tuple<RegionReport, GateVerdict, Price, AdaptationCommand,
                               OpportunityProposal, Escalation, ScaffoldRequest>;
/// What stands inside Tamiyo's part.
using StrategyKinds = std::tuple<Mint, PostureChange, Allocation, Verdict, TopUp, ScaffoldVerdict,
                                 Counsel, PruningAllowance, PlanVerdict, SurgeryOrder>;

template <typename Kinds, typename Visit>
void for_each_kind(Visit&& visit) {
  [&]<typename... Kind>(const std::tuple<Kind...>*) {
    (visit(std::string{Kind::schema.name}), ...);
  }(static_cast<const Kinds*>(nullptr));
}

std::vector<std::string> decision_kinds() {
  std::vector<std::string> names;
  const auto add = [&](std::string name) { names.push_back(std::move(name)); };
  for_each_kind<NarsetKinds>(add);
  add(std::string{PruningPart::schema.name});
  add(std::string{StrategyPart::schema.name});
  for_each_kind<StrategyKinds>(add);
  return names;
}

bool is_decision(const JournalEntry& entry) {
  const bool decides =
      entry.role == Role::narset || entry.role == Role::emrakul || entry.role == Role::tamiyo;
  return decides && entry.kind != SeedStatus::schema.name;
}

/// Decisions of one role of a region and one kind, in order: compared place by place, so that one
/// too many does not shift those of another kind.
using Series = std::tuple<Role, RegionId, std::string>;
std::map<Series, std::vector<const JournalEntry*>> decisions_of(
    const std::vector<JournalEntry>& entries) {
  std::map<Series, std::vector<const JournalEntry*>> series;
  for (const auto& entry : entries)
    if (is_decision(entry)) series[{entry.role, entry.region, entry.kind}].push_back(&entry);
  return series;
}

constexpr std::size_t fields_shown_max = 12;

/// Where two payloads differ, and what stands there.
std::vector<ReplayField> differing_fields(const std::string& journalled,
                                          const std::string& replayed) {
  const auto there = readable_payload(journalled), here = readable_payload(replayed);
  const auto text = [](const nlohmann::json& json, const nlohmann::json::json_pointer& place) {
    return json.contains(place) ? json.at(place).dump() : std::string{};
  };
  std::vector<ReplayField> fields;
  for (const auto& step :
       nlohmann::json::diff(nlohmann::json::parse(journalled), nlohmann::json::parse(replayed))) {
    const auto& name = step.at("path").get_ref<const std::string&>();
    const nlohmann::json::json_pointer place{name};
    fields.push_back({name, text(there, place), text(here, place)});
    if (fields.size() == fields_shown_max) break;
  }
  return fields;
}

/// What the role reads in its turn, and of the turn before what Tamiyo answered.
bool is_input(const JournalEntry& entry, const ReplayDifference& difference, bool turn_before) {
  if (turn_before)
    return entry.kind == StrategyPart::schema.name && difference.role != Role::tamiyo;
  const bool of_host = entry.kind == CheckpointReady::schema.name ||
                       entry.kind == SurgeryOutcome::schema.name ||
                       entry.kind == Override::schema.name;
  switch (difference.role) {
    case Role::narset:
      return of_host ||
             (entry.region == difference.region &&
              (entry.kind == RegionTelemetry::schema.name || entry.kind == Outcome::schema.name ||
               entry.kind == SeedStatus::schema.name));
    case Role::emrakul:
      return entry.kind == ImportanceReport::schema.name || entry.kind == RegionReport::schema.name;
    default:
      return of_host || entry.kind == RegionReport::schema.name ||
             entry.kind == OpportunityProposal::schema.name ||
             entry.kind == ScaffoldRequest::schema.name || entry.kind == Escalation::schema.name ||
             entry.kind == PruningPart::schema.name;
  }
}

class Comparison {
 public:
  Comparison() {
    for (const auto& kind : decision_kinds()) agreed_[kind] = 0;
  }

  void compare(const std::vector<JournalEntry>& before, const std::vector<JournalEntry>& there,
               const std::vector<JournalEntry>& here) {
    ++result_.turns;
    const auto journalled = decisions_of(there), replayed = decisions_of(here);
    std::vector<ReplayDifference> found;
    for (const auto& [series, entries] : journalled) {
      const auto other = replayed.find(series);
      for (std::size_t i = 0; i < entries.size(); ++i)
        compare(*entries[i],
                other != replayed.end() && i < other->second.size() ? other->second[i] : nullptr,
                found);
    }
    for (const auto& [series, entries] : replayed) {
      const auto other = journalled.find(series);
      const std::size_t known = other == journalled.end() ? 0 : other->second.size();
      for (std::size_t i = known; i < entries.size(); ++i) add_decided(*entries[i], found);
    }
    result_.decisions += found.size();
    result_.differing += found.size();
    if (found.empty() || result_.first) return;
    // The one that stands first in the journal; what it does not have at all comes last.
    result_.first = *std::min_element(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return a.sequence - 1 < b.sequence - 1;  // 0 becomes the largest
    });
    for (const auto& entry : before)
      if (is_input(entry, *result_.first, true)) add_input(entry);
    for (const auto& entry : there)
      if (is_input(entry, *result_.first, false)) add_input(entry);
  }

  [[nodiscard]] ReplayResult take() {
    for (const auto& kind : decision_kinds()) result_.agreed.push_back({kind, agreed_.at(kind)});
    return std::move(result_);
  }

 private:
  void compare(const JournalEntry& there, const JournalEntry* here,
               std::vector<ReplayDifference>& found) {
    if (here != nullptr && here->payload == there.payload) {
      ++result_.decisions;
      ++agreed_[there.kind];
      if (there.kind == StrategyPart::schema.name)
        count_inside(parsed<StrategyPart>(there.payload));
      return;
    }
    auto& difference = found.emplace_back(difference_at(there));
    difference.sequence = there.sequence;
    if (here != nullptr)
      difference.fields = differing_fields(there.payload, here->payload);
    else
      difference.fields = {{"", readable_payload(there.payload).dump(), ""}};
  }

  static void add_decided(const JournalEntry& here, std::vector<ReplayDifference>& found) {
    found.push_back(difference_at(here));
    found.back().fields = {{"", "", readable_payload(here.payload).dump()}};
  }

  static ReplayDifference difference_at(const JournalEntry& entry) {
    ReplayDifference difference;
    difference.window = entry.window;
    difference.role = entry.role;
    difference.region = entry.region;
    difference.kind = entry.kind;
    return difference;
  }

  void add_input(const JournalEntry& entry) {
    result_.first->inputs.push_back({entry.sequence, entry.kind});
  }

  void count_inside(const StrategyPart& part) {
    const auto add = [this]<Described T>(const T&, std::size_t count) {
      agreed_[std::string{T::schema.name}] += count;
      result_.decisions += count;
    };
    add(Mint{}, part.mint ? 1 : 0);
    add(PostureChange{}, part.posture ? 1 : 0);
    add(PruningAllowance{}, part.pruning ? 1 : 0);
    add(PlanVerdict{}, part.plan ? 1 : 0);
    add(SurgeryOrder{}, part.surgery ? 1 : 0);
    for (const auto& answers : part.answers) {
      add(Allocation{}, answers.allocation ? 1 : 0);
      add(Verdict{}, answers.verdicts.size());
      add(TopUp{}, answers.top_ups.size());
      add(ScaffoldVerdict{}, answers.scaffolds.size());
      add(Counsel{}, answers.counsel ? 1 : 0);
    }
  }

  ReplayResult result_;
  std::map<std::string, std::uint64_t> agreed_;
};

RunConfig config_in(const std::vector<JournalEntry>& entries) {
  for (const auto& entry : entries)
    if (entry.kind == config_kind) return config_from_logical(entry.payload);
  throw MalformedJson("the journal's opening holds no config");
}

template <typename T>
T needed(std::optional<T> found) {
  if (!found) throw MalformedJson("the journal's opening holds no " + std::string{T::schema.name});
  return std::move(*found);
}

}  // namespace

ReplayResult replay(const std::vector<JournalEntry>& entries, const PlantingTactic& planting) {
  TurnReplay again(config_in(entries), needed(host_in(entries)), needed(catalogue_in(entries)),
                   planting);
  Comparison comparison;
  CommandEntries commands;
  std::map<Window, std::vector<JournalEntry>> windows;
  for (const auto& entry : entries) windows[entry.window].push_back(entry);
  for (const ClosedTurn& turn : turns_in(entries)) {
    const auto here = windows.find(turn.report.window);
    const auto decided = entries_of(again.again(turn), here->second.front().sequence, commands);
    // The opening stands before the first turn, at window 0.
    comparison.compare(std::prev(here)->second, here->second, decided);
  }
  return comparison.take();
}

ReplayResult together(const std::vector<ReplayResult>& results) {
  ReplayResult sum;
  std::map<std::string, std::uint64_t> agreed;
  for (const auto& result : results) {
    sum.turns += result.turns;
    sum.decisions += result.decisions;
    sum.differing += result.differing;
    if (!sum.first) sum.first = result.first;
    for (const auto& [kind, count] : result.agreed) agreed[kind] += count;
  }
  for (const auto& kind : decision_kinds()) sum.agreed.push_back({kind, agreed[kind]});
  return sum;
}

}  // namespace esper
