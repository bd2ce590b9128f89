#include "sim/tracer.hpp"

#include <algorithm>
#include <array>

#include "messages/breaker_change.hpp"
#include "messages/control.hpp"
#include "messages/wire.hpp"
#include "runtime/trace_text.hpp"

namespace esper::sim {

namespace {

constexpr std::size_t lines_max = 200'000;

/// The name of the message and the window that it is about, for those that are about one.
template <typename T>
bool read(const caf::type_erased_tuple& content, std::string& name) {
  if (!content.match_elements<T>()) return false;
  name = T::schema.name;
  return true;
}

template <typename... T>
std::string name_among(const caf::type_erased_tuple& content) {
  std::string name;
  (void)(read<T>(content, name) || ...);
  return name;
}

/// What people look for when something went wrong; telemetry and prices would drown it.
bool is_cause(const JournalEntry& entry) {
  constexpr std::array kinds{AdaptationCommand::schema.name,
                             Outcome::schema.name,
                             Override::schema.name,
                             Restart::schema.name,
                             BreakerChange::schema.name,
                             SurgeryOutcome::schema.name,
                             OpportunityProposal::schema.name,
                             ScaffoldRequest::schema.name,
                             PruningPart::schema.name};
  return std::ranges::find(kinds, entry.kind) != kinds.end();
}

std::string who(const JournalEntry& entry) {
  std::string name{name_of(entry.role)};
  return entry.role == Role::narset || entry.role == Role::kasmina
             ? name + " " + std::to_string(entry.region.value)
             : name;
}

std::string name_of_content(const caf::type_erased_tuple& content) {
  auto name =
      name_among<TurnOpened, RegionPart, StrategyPart, PruningPart, RoleDown, Restart, Nudge,
                 Recover, Recovery, TurnCommitted, RegionTurn, TurnReports, TurnRelease, ReadSeeds,
                 RegionSeeds, ReadCatalogue, Catalogue, CheckpointReady, PlanningTurn,
                 ImportanceReport, KillRole, StartRole>(content);
  if (name.empty() && content.size() > 0) {
    if (content.match_elements<caf::down_msg>()) return "down";
    if (content.match_elements<caf::exit_msg>()) return "exit";
    if (content.match_elements<caf::error>()) return "error";
    if (content.match_elements<caf::timeout_msg>()) return "timeout";
    return "other";
  }
  return name.empty() ? "nothing" : name;
}

}  // namespace

const Tracer::Known& Tracer::type_of(const caf::type_erased_tuple& content) {
  const auto type = content.size() == 0 ? caf::rtti_pair{} : content.type(0);
  const std::type_index key =
      type.second != nullptr ? std::type_index{*type.second} : std::type_index{typeid(void)};
  // Built-in types have a number and no type_info.
  if (type.second == nullptr) {
    auto& known = types_.try_emplace(key).first->second;
    known.name = name_of_content(content);
    known.hash = text_hash(known.name);
    return known;
  }
  const auto found = types_.find(key);
  if (found != types_.end()) return found->second;
  auto name = name_of_content(content);
  const auto hash = text_hash(name);
  return types_.emplace(key, Known{std::move(name), hash}).first->second;
}

void Tracer::message(const WorldEvent& event) {
  newest_ms_ = event.at_ms;
  digest_.add(event.at_ms);
  std::uint64_t to = 0;
  if (event.to != nullptr) {
    auto& known = roles_[event.to->role];
    if (known == 0) known = text_hash(event.to->role);
    to = known + event.to->epoch;
  }
  digest_.add(to);
  if (event.content == nullptr) return;
  const auto& type = type_of(*event.content);
  digest_.add(type.hash);
  if (!keeps_lines_) return;
  const std::string who = event.to == nullptr
                              ? "an actor"
                              : event.to->role + " (" + std::to_string(event.to->epoch) + ")";
  line(event.at_ms, who + " <- " + type.name);
}

void Tracer::struck(std::uint64_t at_ms, const Fault& fault) {
  digest_.add(told(fault));
  if (keeps_lines_) line(at_ms, "FAULT " + told(fault));
}

void Tracer::written(std::uint64_t at_ms, const std::vector<JournalEntry>& entries) {
  for (const auto& entry : entries) {
    digest_.add(entry.kind);
    digest_.add(entry.cause);
    digest_.add(entry.payload);
  }
  if (!keeps_lines_ || entries.empty()) return;
  line(at_ms, "journal: window " + std::to_string(entries.front().window.value) + ", " +
                  std::to_string(entries.size()) + " entries");
  for (const auto& entry : entries)
    if (is_cause(entry))
      line(at_ms, "  " + std::to_string(entry.sequence) + " because of " +
                      std::to_string(entry.cause) + ", " + who(entry) + ": " +
                      sentence_for(entry, host_));
}

void Tracer::logged(std::string_view event, std::string_view details) {
  digest_.add(event);
  if (keeps_lines_) line(newest_ms_, "log: " + std::string{event} + " " + std::string{details});
}

void Tracer::line(std::uint64_t at_ms, const std::string& text) {
  if (lines_.size() < lines_max) lines_.push_back(std::to_string(at_ms) + " ms  " + text);
}

}  // namespace esper::sim
