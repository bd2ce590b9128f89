#pragma once
// The causal chain of one command, reservation or surgery: from telemetry to outcome. Pure.
#include <optional>
#include <string>
#include <vector>

#include "messages/audit.hpp"

namespace esper {

/// What a trace is asked for.
struct TraceId {
  enum class Kind : std::uint8_t { command, reservation, surgery, entry };
  Kind kind{};
  std::uint64_t region{};  ///< command, reservation
  std::uint64_t epoch{};   ///< command
  std::uint64_t number{};  ///< command: its sequence; else the reservation, plan or entry
};

/// "command:early.1.7", "reservation:early.3", "surgery:2" or "entry:120"; a region by name or
/// number. Nothing: `text` is none of these.
[[nodiscard]] std::optional<TraceId> trace_id(const std::string& text,
                                              const std::vector<std::string>& regions);

/// One entry with what followed from it.
struct TraceNode {
  std::uint64_t sequence{};
  std::uint64_t window{};
  std::string role;  ///< with its region's name where it has one
  std::string kind;
  std::string said;  ///< for people: what was measured, decided, paid, and why
  std::vector<TraceNode> follows;

  static constexpr auto schema = record(
      "TraceNode", field("sequence", &TraceNode::sequence), field("window", &TraceNode::window),
      field("role", &TraceNode::role), field("kind", &TraceNode::kind),
      field("said", &TraceNode::said), field("follows", &TraceNode::follows));
};

/// The tree from the window that it began with down to its outcomes; of entries beside the chain
/// only those that tell its price and its reason. Empty: the journal has no such id.
/// Errors: throws MalformedJson or nlohmann's errors when an entry is not what its kind says.
[[nodiscard]] std::vector<TraceNode> trace(const std::vector<JournalEntry>& entries,
                                           const TraceId& id);

/// As indented lines.
void print_trace(std::ostream& out, const std::vector<TraceNode>& roots);

}  // namespace esper
