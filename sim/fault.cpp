#include "sim/fault.hpp"

#include <algorithm>
#include <array>

#include "actors/decisions/random.hpp"

namespace esper::sim {

namespace {

constexpr std::uint64_t minute_ms = 60'000;
constexpr std::uint64_t first_ms = 5'000;  // before there is nothing to disturb
constexpr std::uint64_t faults_a_minute = 2;
constexpr std::uint64_t checkpoint_windows = 6;  // of the simulated config
/// Those before it; it stands last so that what a seed draws stays the same.
constexpr auto kinds = static_cast<std::uint64_t>(FaultKind::poison_weights);

/// Kills and pauses of roles are what most goes wrong with; the rest alike.
FaultKind draw_kind(RandomStream& stream) {
  const auto drawn = stream.below(kinds + 14);
  if (drawn < 8) return FaultKind::kill;
  if (drawn < 12) return FaultKind::pause;
  if (drawn < 14) return FaultKind::turn_twice;  // matters where a surgery is ordered
  return static_cast<FaultKind>(drawn - 14);
}

std::uint64_t draw_duration_ms(FaultKind kind, RandomStream& stream) {
  switch (kind) {
    case FaultKind::pause:
      return 50 + stream.below(stream.below(4) == 0 ? 12'000 : 2'000);
    case FaultKind::clock_jump:
      return stream.below(3) == 0 ? 3'600'000 : 100 + stream.below(20'000);
    case FaultKind::node_lost:
    case FaultKind::link_cut:
    case FaultKind::link_lossy:
    case FaultKind::link_doubling:
    case FaultKind::link_slow:
      return 500 + stream.below(12'000);
    case FaultKind::kasmina_silent:
      return 500 + stream.below(8'000);
    case FaultKind::disk_slow:
      return 10 + stream.below(4'000);
    case FaultKind::disk_full:
      return 500 + stream.below(15'000);
    default:
      return 1'000 * (1 + stream.below(8));
  }
}

Fault draw_fault(RandomStream& stream, std::uint32_t regions, std::uint64_t from_ms,
                 std::uint64_t until_ms) {
  static constexpr std::array<const char*, 8> alone{"journal", "oona",  "kasmina", "urza",
                                                    "tamiyo",  "elesh", "emrakul", "tolaria"};
  Fault fault;
  fault.kind = draw_kind(stream);
  fault.at_ms = from_ms + stream.below(until_ms - from_ms);
  fault.after_events = stream.below(160);
  const auto region = std::to_string(stream.below(regions));
  const auto role = stream.below(alone.size() + 6);
  const auto duration_ms = draw_duration_ms(fault.kind, stream);
  if (aims_at_role(fault.kind))
    fault.target = role < alone.size() ? alone.at(role) : "narset." + region;
  if (aims_at_region(fault.kind)) fault.target = "region." + region;
  if (aims_at_node(fault.kind)) fault.target = stream.below(2) == 0 ? "node.b" : "node.c";
  if (has_duration(fault.kind)) fault.duration_ms = duration_ms;
  return fault;
}

/// Surgeries are decided in one turn a checkpoint and carried out at its boundary: what strikes
/// there, or a few windows before, meets what else is seldom met.
void move_to_checkpoint(Fault& fault, RandomStream& stream) {
  const std::uint64_t window = fault.at_ms / 1'000 / checkpoint_windows * checkpoint_windows;
  const bool at_once = stream.below(2) == 0 || fault.kind == FaultKind::turn_twice;
  std::uint64_t early = at_once ? 1 : 1 + stream.below(5);
  if (fault.kind == FaultKind::freeze) early = 2;  // the next turn hears of it, and decides
  if (window <= early) return;
  fault.at_window = window - early;
  // A turn is some sixty messages, and what is to be doubled is handed over within it.
  fault.after_events %= fault.kind == FaultKind::turn_twice ? 10 : 80;
}

/// Some faults matter most together with others of their moment.
void add_companions(const Fault& fault, RandomStream& stream, std::uint32_t regions,
                    std::uint64_t until_ms, std::vector<Fault>& more) {
  const bool with = stream.below(3) == 0;
  const auto add = [&](Fault also, std::uint64_t at_ms) {
    also.at_ms = at_ms;
    if (at_ms < until_ms) more.push_back(std::move(also));
  };
  if (!with) return;
  if (fault.kind == FaultKind::kill)  // more often than its supervisor bears
    for (std::uint64_t i = 1; i <= 7; ++i) add(fault, fault.at_ms + i * 500);
  const bool asked = fault.kind == FaultKind::escape || fault.kind == FaultKind::freeze;
  if (asked && region_of(fault).value % 3 != 0) {  // of who is gone when the turn opens
    Fault gone = fault;
    gone.kind = FaultKind::node_lost;
    gone.target = region_of(fault).value % 3 == 1 ? "node.b" : "node.c";
    gone.after_events += 4;
    gone.duration_ms = 4'000;
    add(gone, fault.at_ms);
  }
  if (fault.kind == FaultKind::melt)  // its Narset comes back, and is told of no scaffold
    add({FaultKind::kasmina_lies, fault.target, 0, 0, 1'000},
        fault.at_ms + 3'000 + stream.below(8'000));
  if (fault.kind == FaultKind::posture)  // scaffolds open zones while surgeries go on
    for (std::uint64_t i = 1; i <= 4; ++i)
      add({FaultKind::melt, "region." + std::to_string(stream.below(regions)), 0, 0, 6'000},
          fault.at_ms + i * 1'500);
  if (fault.kind == FaultKind::turn_twice)
    add({FaultKind::disk_slow, "", 0, 0, 1'500, fault.at_window}, fault.at_ms);
}

}  // namespace

std::string impossible_simulated(FaultKind kind) {
  return kind == FaultKind::poison_weights
             ? "a simulation has no weights; blow_up is what they come to"
             : "";
}

std::vector<std::string> role_names(std::uint32_t regions) {
  std::vector<std::string> names{"journal", "oona", "kasmina", "urza"};
  for (std::uint32_t region = 0; region < regions; ++region)
    names.push_back("narset." + std::to_string(region));
  names.insert(names.end(), {"tamiyo", "elesh", "emrakul", "tolaria"});
  return names;
}

std::vector<Fault> drawn_faults(std::uint64_t seed, std::uint32_t regions, std::uint64_t until_ms) {
  RandomStream stream(seed, "sim.faults");
  std::vector<Fault> faults, more;
  for (std::uint64_t from = 0; from < until_ms; from += minute_ms)
    for (std::uint64_t i = 0; i < 1 + stream.below(faults_a_minute * 2); ++i) {
      const std::uint64_t end = std::min(from + minute_ms, until_ms);
      const std::uint64_t begin = std::min(std::max(from, first_ms), end - 1);
      faults.push_back(draw_fault(stream, regions, begin, end));
      if (stream.below(3) == 0 || faults.back().kind == FaultKind::turn_twice ||
          faults.back().kind == FaultKind::freeze)
        move_to_checkpoint(faults.back(), stream);
      add_companions(faults.back(), stream, regions, until_ms, more);
    }
  faults.insert(faults.end(), more.begin(), more.end());
  std::stable_sort(faults.begin(), faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at_ms < b.at_ms; });
  return faults;
}

}  // namespace esper::sim
