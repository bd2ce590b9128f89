#pragma once
// What can go wrong, as data: drawn from a seed or read from a rehearsal.
#include <string>
#include <vector>

#include "messages/schema.hpp"

namespace esper::sim {

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
};

}  // namespace esper::sim

namespace esper {
ESPER_ENUM_NAMES(sim::FaultKind, "kill", "kill_all", "pause", "clock_jump", "telemetry_nan",
                 "telemetry_absurd", "telemetry_stale", "telemetry_doubled", "kasmina_silent",
                 "kasmina_lies", "disk_slow", "disk_full", "disk_torn", "disk_crash_before",
                 "disk_crash_after", "shake", "melt", "blow_up", "escape", "freeze", "grant",
                 "posture", "turn_twice", "node_lost", "link_cut", "link_lossy", "link_doubling",
                 "link_slow");
}  // namespace esper

namespace esper::sim {

struct Fault {
  FaultKind kind{};
  std::string target;  ///< "tamiyo", "narset.3", "region.3", "node.b"; "" where the kind has none
  std::uint64_t at_ms{};         ///< virtual, from the beginning
  std::uint64_t after_events{};  ///< messages handled after that instant, before it strikes
  std::uint64_t duration_ms{};   ///< 0 where the kind has none

  static constexpr auto schema =
      record("fault", field("kind", &Fault::kind), field("target", &Fault::target),
             field("at_ms", &Fault::at_ms), field("after_events", &Fault::after_events),
             field("duration_ms", &Fault::duration_ms));
};

/// Does the kind aim at a role, at a region, at a node?
[[nodiscard]] bool aims_at_role(FaultKind kind);
[[nodiscard]] bool aims_at_region(FaultKind kind);
[[nodiscard]] bool aims_at_node(FaultKind kind);
[[nodiscard]] bool has_duration(FaultKind kind);

/// Every role of a run with so many regions, by name.
[[nodiscard]] std::vector<std::string> role_names(std::uint32_t regions);

/// At least one in every virtual minute of [0, until_ms), most of them at a moment at which
/// messages are under way. Sorted by time.
[[nodiscard]] std::vector<Fault> drawn_faults(std::uint64_t seed, std::uint32_t regions,
                                              std::uint64_t until_ms);
/// One line for people.
[[nodiscard]] std::string told(const Fault& fault);

}  // namespace esper::sim
