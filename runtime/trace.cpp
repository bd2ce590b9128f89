#include "runtime/trace.hpp"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "actors/turn_history.hpp"
#include "runtime/journal_kinds.hpp"
#include "runtime/trace_text.hpp"
#include "runtime/whole_number.hpp"

namespace esper {
namespace {

/// Cuts off what stands behind the last dot; nothing where there is none.
std::optional<std::string> take_last(std::string& text) {
  const auto dot = text.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  auto last = text.substr(dot + 1);
  text.resize(dot);
  return last;
}

std::optional<std::uint64_t> region_named(const std::string& text,
                                          const std::vector<std::string>& regions) {
  const auto found = std::find(regions.begin(), regions.end(), text);
  if (found != regions.end()) return static_cast<std::uint64_t>(found - regions.begin());
  return whole_number(text);
}

/// The entries of one trace, and what each follows from. Where the journal's own cause is only the
/// window in which something was told, what it answers to stands in its place.
class Chain {
 public:
  explicit Chain(const std::vector<JournalEntry>& entries)
      : entries_(entries), host_(host_in(entries).value_or(HostDescription{})) {}

  void add(const JournalEntry& entry) { add_with_causes(entry.sequence); }
  void add(const JournalEntry& entry, std::uint64_t follows_from) {
    if (follows_from != 0 && follows_from != entry.sequence)
      parents_[entry.sequence] = follows_from;
    add_with_causes(entry.sequence);
  }

  [[nodiscard]] std::vector<TraceNode> tree() const {
    std::vector<TraceNode> roots;
    for (const std::uint64_t sequence : shown_)
      if (parent_of(sequence) == 0) roots.push_back(node(sequence));
    return roots;
  }

 private:
  [[nodiscard]] const JournalEntry& at(std::uint64_t sequence) const {
    return entries_.at(sequence - 1);
  }
  [[nodiscard]] std::uint64_t parent_of(std::uint64_t sequence) const {
    const auto other = parents_.find(sequence);
    return other != parents_.end() ? other->second : at(sequence).cause;
  }
  void add_with_causes(std::uint64_t sequence) {
    while (sequence != 0 && shown_.insert(sequence).second) sequence = parent_of(sequence);
  }
  [[nodiscard]] TraceNode node(std::uint64_t sequence) const {
    const JournalEntry& entry = at(sequence);
    TraceNode made{sequence,   entry.window.value,         std::string{name_of(entry.role)},
                   entry.kind, sentence_for(entry, host_), {}};
    const bool regional = entry.role == Role::narset ||
                          entry.kind == RegionTelemetry::schema.name ||
                          entry.kind == Outcome::schema.name;
    if (regional && entry.region.value < host_.regions.size())
      made.role += "." + host_.regions[entry.region.value].name;
    for (const std::uint64_t other : shown_)
      if (parent_of(other) == sequence) made.follows.push_back(node(other));
    return made;
  }

  const std::vector<JournalEntry>& entries_;
  HostDescription host_;
  std::set<std::uint64_t> shown_;
  std::map<std::uint64_t, std::uint64_t> parents_;
};

class Tracer {
 public:
  explicit Tracer(const std::vector<JournalEntry>& entries) : entries_(entries), chain_(entries) {}

  std::vector<TraceNode> trace(const TraceId& id) {
    switch (id.kind) {
      case TraceId::Kind::command:
        command({{static_cast<std::uint32_t>(id.region)},
                 {static_cast<std::uint32_t>(id.epoch)},
                 id.number});
        break;
      case TraceId::Kind::reservation:
        reservation({static_cast<std::uint32_t>(id.region)}, id.number);
        break;
      case TraceId::Kind::surgery:
        surgery(id.number);
        break;
      case TraceId::Kind::entry:
        if (id.number > 0 && id.number <= entries_.size()) chain_.add(entries_[id.number - 1]);
        break;
    }
    return chain_.tree();
  }

 private:
  template <Described T, typename Visit>
  void each(Visit&& visit) const {
    for (const auto& entry : entries_)
      visit_payload<T>(entry, [&](const T& message) { visit(entry, message); });
  }

  void command(const CommandId& asked) {
    each<AdaptationCommand>([&](const JournalEntry& entry, const AdaptationCommand& given) {
      if (given.id != asked) return;
      show_command(entry, given);
      if (given.reservation) payment(given.id.region, *given.reservation);
      if (given.kind == CommandKind::germinate) permission(entry, given);
    });
  }

  /// The command, what its gates said of the seed, and what became of it.
  void show_command(const JournalEntry& entry, const AdaptationCommand& given) {
    chain_.add(entry);
    each<GateVerdict>([&](const JournalEntry& gate, const GateVerdict& verdict) {
      const bool same_seed = verdict.seed.value != 0 && verdict.seed == given.seed;
      const bool at_birth = given.kind == CommandKind::germinate && verdict.gate == "G0" &&
                            verdict.passed && verdict.slot == given.slot;
      if (gate.cause == entry.cause && (same_seed || at_birth)) chain_.add(gate);
    });
    each<Outcome>([&](const JournalEntry& told, const Outcome& outcome) {
      if (told.cause == entry.sequence && outcome.command == given.id) {
        chain_.add(told);
        outcomes_[given.id] = told.sequence;
      }
    });
  }

  /// What was asked of Tamiyo for this seed, and the turn that granted it: the newest before the
  /// command.
  void permission(const JournalEntry& entry, const AdaptationCommand& given) {
    const RegionId region = given.id.region;
    std::uint64_t asked = 0, granted = 0;
    const auto ask = [&](const JournalEntry& request, SlotId slot, const std::string& blueprint) {
      if (request.sequence < entry.sequence && request.region == region && slot == given.slot &&
          blueprint == given.blueprint)
        asked = request.sequence;
    };
    each<ScaffoldRequest>([&](const JournalEntry& request, const ScaffoldRequest& told) {
      ask(request, told.slot, told.blueprint);
    });
    each<OpportunityProposal>([&](const JournalEntry& request, const OpportunityProposal& told) {
      ask(request, told.slot, told.blueprint);
    });
    each<StrategyPart>([&](const JournalEntry& part, const StrategyPart& told) {
      if (part.sequence < asked || part.sequence > entry.sequence) return;
      for (const Answers& answers : told.answers) {
        if (answers.region != region) continue;
        const bool grants =
            std::any_of(answers.scaffolds.begin(), answers.scaffolds.end(),
                        [](const auto& one) { return one.answer == ScaffoldAnswer::granted; }) ||
            std::any_of(answers.verdicts.begin(), answers.verdicts.end(),
                        [](const auto& one) { return one.kind == VerdictKind::approved; });
        if (grants) granted = part.sequence;
      }
    });
    if (asked == 0 || granted == 0) return;
    chain_.add(entries_[asked - 1]);
    chain_.add(entries_[granted - 1], asked);
  }

  void reservation(RegionId region, std::uint64_t number) {
    each<AdaptationCommand>([&](const JournalEntry& entry, const AdaptationCommand& given) {
      if (given.id.region == region && given.reservation == number) show_command(entry, given);
    });
    payment(region, number);
  }

  /// Where it was set aside, at which price, and where it was resolved.
  void payment(RegionId region, std::uint64_t number) {
    each<RegionReport>([&](const JournalEntry& entry, const RegionReport& report) {
      if (report.region != region) return;
      for (const Movement& movement : report.movements) {
        if (movement.reservation != number) continue;
        const auto outcome = outcomes_.find(movement.command);
        const bool answers = movement.kind != MovementKind::reserve && outcome != outcomes_.end() &&
                             outcome->second < entry.sequence;
        chain_.add(entry, answers ? outcome->second : 0);
        if (movement.kind == MovementKind::reserve) price(entry, report, number);
      }
    });
  }

  /// A seed's three parts have numbers in a row: together they are its price.
  void price(const JournalEntry& entry, const RegionReport& report, std::uint64_t number) {
    std::map<std::uint64_t, Energy> reserved;
    for (const Movement& movement : report.movements)
      if (movement.kind == MovementKind::reserve) reserved[movement.reservation] = movement.energy;
    constexpr std::uint64_t parts = 3;
    const JournalEntry* found = nullptr;  // the newest of equal ones: that the seed was planted at
    each<Price>([&](const JournalEntry& priced, const Price& told) {
      if (priced.cause != entry.sequence) return;
      for (std::uint64_t first = number < parts ? 1 : number - parts + 1; first <= number; ++first)
        if (reserved.contains(first) && reserved.contains(first + 1) &&
            reserved.contains(first + 2) &&
            told.energy == reserved[first] + reserved[first + 1] + reserved[first + 2])
          found = &priced;
    });
    if (found != nullptr) chain_.add(*found);
  }

  void surgery(std::uint64_t plan) {
    std::uint64_t before = 0;
    const auto next = [&](const JournalEntry& entry) {
      chain_.add(entry, before);
      before = entry.sequence;
    };
    each<CheckpointReady>([&](const JournalEntry& entry, const CheckpointReady& ready) {
      if (ready.checkpoint == plan) next(entry);
    });
    for (const auto& entry : entries_) {
      visit_payload<ImportanceReport>(entry, [&](const ImportanceReport& importance) {
        if (importance.checkpoint == plan) next(entry);
      });
      visit_payload<PruningPart>(entry, [&](const PruningPart& part) {
        if (part.plan && part.plan->id == plan) next(entry);
      });
      visit_payload<StrategyPart>(entry, [&](const StrategyPart& part) {
        if ((part.plan && part.plan->plan == plan) ||
            (part.surgery && part.surgery->plan.id == plan))
          next(entry);
      });
      visit_payload<SurgeryOutcome>(entry, [&](const SurgeryOutcome& outcome) {
        if (outcome.plan == plan) next(entry);
      });
    }
  }

  const std::vector<JournalEntry>& entries_;
  Chain chain_;
  std::map<CommandId, std::uint64_t> outcomes_;
};

void print_node(std::ostream& out, const TraceNode& node, const std::string& before, bool last,
                bool root) {
  out << before
      << (root   ? ""
          : last ? "`- "
                 : "|- ")
      << node.sequence << "  window " << node.window << "  " << node.role << "  " << node.kind;
  if (!node.said.empty()) out << "  " << node.said;
  out << '\n';
  const std::string inside = before + (root ? "" : last ? "   " : "|  ");
  for (std::size_t i = 0; i < node.follows.size(); ++i)
    print_node(out, node.follows[i], inside, i + 1 == node.follows.size(), false);
}

}  // namespace

std::optional<TraceId> trace_id(const std::string& text, const std::vector<std::string>& regions) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string kind = text.substr(0, colon);
  std::string rest = text.substr(colon + 1);
  if (kind == "surgery" || kind == "entry") {
    const auto number = whole_number(rest);
    if (!number) return std::nullopt;
    return TraceId{kind == "entry" ? TraceId::Kind::entry : TraceId::Kind::surgery, 0, 0, *number};
  }
  if (kind != "command" && kind != "reservation") return std::nullopt;
  TraceId id{kind == "command" ? TraceId::Kind::command : TraceId::Kind::reservation, 0, 0, 0};
  const auto number = take_last(rest);
  if (!number || !whole_number(*number)) return std::nullopt;
  id.number = *whole_number(*number);
  if (id.kind == TraceId::Kind::command) {
    const auto epoch = take_last(rest);
    if (!epoch || !whole_number(*epoch)) return std::nullopt;
    id.epoch = *whole_number(*epoch);
  }
  const auto region = region_named(rest, regions);
  if (!region) return std::nullopt;
  id.region = *region;
  return id;
}

std::vector<TraceNode> trace(const std::vector<JournalEntry>& entries, const TraceId& id) {
  return Tracer{entries}.trace(id);
}

void print_trace(std::ostream& out, const std::vector<TraceNode>& roots) {
  for (const auto& root : roots) print_node(out, root, "", true, true);
}

}  // namespace esper
