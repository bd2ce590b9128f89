#pragma once
// What can go wrong, as data: drawn from a seed, or read from a rehearsal, for simulations and for
// living runs.
#include "messages/schema.hpp"

namespace esper {

enum class FaultKind : std::uint8_t {
  kill,               ///< the role's incarnation dies at that message
  kill_all,           ///< every role does
  pause,              ///< the role handles nothing for a while
  clock_jump,         ///< the actors' clock goes on by the duration at once
  telemetry_nan,      ///< a region's numbers are no numbers, for so many windows
  telemetry_absurd,   ///< they are huge, negative or denormal
  telemetry_stale,    ///< they are those of the window before
  telemetry_doubled,  ///< they are told twice
  kasmina_silent,     ///< the executor takes no turn for the duration
  kasmina_lies,       ///< the region's Narset dies and is told wrong stages of its seeds
  disk_slow,          ///< an append takes as long as the duration
  disk_full,          ///< appends are refused for the duration
  disk_torn,          ///< the writer dies with half of a turn on the disk
  disk_crash_before,  ///< the writer dies before the append
  disk_crash_after,   ///< the writer dies between append and acknowledgement
  shake,              ///< the region leaves its bands for the duration
  melt,               ///< it melts down, until a scaffold helps or the duration is over
  blow_up,            ///< one step's loss is not finite there
  escape,             ///< a person asks for an escape of the region
  freeze,             ///< a person freezes the region for the duration
  grant,              ///< a person pins the region's grant for the duration
  posture,            ///< a person pins the posture for the duration
  turn_twice,         ///< the executor is handed the next turn twice
  node_lost,          ///< every actor of a node is gone at once, for the duration
  link_cut,           ///< nothing crosses between the lead and a node for the duration
  link_lossy,         ///< a third of what crosses is lost
  link_doubling,      ///< a third arrives twice
  link_slow,          ///< what crosses takes up to 800 ms, in any order
  poison_weights,     ///< weights of a seed of the region are no numbers from the next step on
};
ESPER_ENUM_NAMES(FaultKind, "kill", "kill_all", "pause", "clock_jump", "telemetry_nan",
                 "telemetry_absurd", "telemetry_stale", "telemetry_doubled", "kasmina_silent",
                 "kasmina_lies", "disk_slow", "disk_full", "disk_torn", "disk_crash_before",
                 "disk_crash_after", "shake", "melt", "blow_up", "escape", "freeze", "grant",
                 "posture", "turn_twice", "node_lost", "link_cut", "link_lossy", "link_doubling",
                 "link_slow", "poison_weights");

struct Fault {
  FaultKind kind{};
  std::string target;  ///< "tamiyo", "narset.3", "region.3", "node.b"; "" where the kind has none
  std::uint64_t at_ms{};         ///< from the beginning; virtual in a simulation
  std::uint64_t after_events{};  ///< messages handled after that instant, before it strikes
  std::uint64_t duration_ms{};   ///< 0 where the kind has none
  std::uint64_t at_window{};     ///< not before the trainer has closed it; 0: `at_ms` alone

  static constexpr auto schema =
      record("fault", field("kind", &Fault::kind), field("target", &Fault::target),
             field("at_ms", &Fault::at_ms), field("after_events", &Fault::after_events),
             field("duration_ms", &Fault::duration_ms), field("at_window", &Fault::at_window));
};

/// A fault that has struck a living run: an input of the turn that opened next.
struct InjectedFault {
  std::uint64_t number{};  ///< counted from 1 in each process of a run
  Fault fault;             ///< its instants are the rehearsal's
  std::string rehearsal;
  std::string who;  ///< the user that asked, as the operating system says

  static constexpr auto schema =
      record("InjectedFault", field("number", &InjectedFault::number),
             field("fault", &InjectedFault::fault), field("rehearsal", &InjectedFault::rehearsal),
             field("who", &InjectedFault::who));
};

/// Does the kind aim at a role, at a region, at a node? Else at nothing.
[[nodiscard]] constexpr bool aims_at_role(FaultKind kind) {
  return kind == FaultKind::kill || kind == FaultKind::pause;
}

[[nodiscard]] constexpr bool spoils_telemetry(FaultKind kind) {
  return kind >= FaultKind::telemetry_nan && kind <= FaultKind::telemetry_doubled;
}

[[nodiscard]] constexpr bool aims_at_region(FaultKind kind) {
  switch (kind) {
    case FaultKind::kasmina_lies:
    case FaultKind::shake:
    case FaultKind::melt:
    case FaultKind::blow_up:
    case FaultKind::escape:
    case FaultKind::freeze:
    case FaultKind::grant:
    case FaultKind::poison_weights:
      return true;
    default:
      return spoils_telemetry(kind);
  }
}

[[nodiscard]] constexpr bool aims_at_node(FaultKind kind) {
  return kind >= FaultKind::node_lost && kind <= FaultKind::link_slow;
}

[[nodiscard]] constexpr bool has_duration(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill:
    case FaultKind::kill_all:
    case FaultKind::disk_torn:
    case FaultKind::disk_crash_before:
    case FaultKind::disk_crash_after:
    case FaultKind::blow_up:
    case FaultKind::escape:
    case FaultKind::turn_twice:
    case FaultKind::poison_weights:
      return false;
    default:
      return true;
  }
}

/// Of a fault whose target ends with a region's number: "region.3", "narset.3".
/// Errors: std::invalid_argument or std::out_of_range when it does not.
[[nodiscard]] inline RegionId region_of(const Fault& fault) {
  return {static_cast<std::uint32_t>(std::stoul(fault.target.substr(fault.target.find('.') + 1)))};
}

/// One line for people.
[[nodiscard]] inline std::string told(const Fault& fault) {
  std::string text = std::to_string(fault.at_ms) + " ms";
  if (fault.at_window > 0) text += ", window " + std::to_string(fault.at_window);
  text +=
      " + " + std::to_string(fault.after_events) + " messages: " + std::string{name_of(fault.kind)};
  if (!fault.target.empty()) text += " " + fault.target;
  if (fault.duration_ms > 0) text += " for " + std::to_string(fault.duration_ms) + " ms";
  return text;
}

}  // namespace esper
