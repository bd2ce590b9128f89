#include "runtime/chaos/live_faults.hpp"

#include <algorithm>
#include <set>

#include "actors/chaos_desk.hpp"
#include "actors/decisions/role_tree.hpp"
#include "runtime/listed.hpp"

namespace esper {

namespace {

constexpr std::uint64_t day_ms = 86'400'000;
constexpr std::uint64_t after_events_max = 1'000'000;

bool is_region(const std::string& target, std::uint32_t regions) {
  for (std::uint32_t region = 0; region < regions; ++region)
    if (target == "region." + std::to_string(region)) return true;
  return false;
}

bool kills(FaultKind kind) {
  return kind == FaultKind::kill || kind == FaultKind::kill_all ||
         kind == FaultKind::disk_crash_before || kind == FaultKind::disk_crash_after;
}

/// Until when it counts.
std::uint64_t counted_until(const Fault& fault) {
  return fault.at_ms + (kills(fault.kind) ? restart_ms : fault.duration_ms);
}

/// Who is down with it; empty for a fault that is no role's.
std::vector<std::string> roles_hit(const Fault& fault, const LiveShape& shape) {
  if (fault.kind == FaultKind::pause) return {fault.target};
  if (!kills(fault.kind)) return {};
  if (fault.kind == FaultKind::kill_all) return shape.roles;
  const auto fallen = fault.kind == FaultKind::kill ? role_named(fault.target)
                                                    : std::pair{Role::journal, RegionId{}};
  std::vector<std::string> hit{fault.kind == FaultKind::kill ? fault.target : "journal"};
  for (const auto& name : shape.roles)
    if (const auto other = role_named(name); fallen && other)
      if (falls_with(other->first, fallen->first)) hit.push_back(name);
  return hit;
}

}  // namespace

LiveShape live_shape(const RunConfig& config, const HostDescription& host) {
  LiveShape shape;
  shape.regions = static_cast<std::uint32_t>(host.regions.size());
  shape.threads = config.control.threads;
  for (const auto& place : role_tree) {
    const std::string name{name_of(place.role)};
    const bool prunes = place.role == Role::elesh || place.role == Role::emrakul;
    if (prunes && !config.compaction.enabled) continue;
    if (place.role != Role::narset) shape.roles.push_back(name);
    for (std::uint32_t i = 0; place.role == Role::narset && i < shape.regions; ++i)
      shape.roles.push_back(name + "." + std::to_string(i));
  }
  return shape;
}

std::string impossible_live(FaultKind kind) {
  switch (kind) {
    case FaultKind::clock_jump:
      return "the machine's clock is everybody's";
    case FaultKind::kasmina_lies:
      return "the step boundary knows its seeds; a simulated one can be made to lie";
    case FaultKind::disk_torn:
      return "SQLite leaves no half of a transaction; disk_crash_before is what it comes to";
    case FaultKind::shake:
    case FaultKind::melt:
      return "a training's weather is its own; training.disturbances in the config disturbs it";
    case FaultKind::blow_up:
      return "it could ruin the host's weights; poison_weights ruins a seed's";
    case FaultKind::node_lost:
    case FaultKind::link_cut:
    case FaultKind::link_lossy:
    case FaultKind::link_doubling:
    case FaultKind::link_slow:
      return "the run has one node";
    default:
      return "";
  }
}

std::string impossible_live(const Fault& fault, const LiveShape& shape) {
  if (auto why = impossible_live(fault.kind); !why.empty()) return why;
  if (aims_at_role(fault.kind) && std::ranges::find(shape.roles, fault.target) == shape.roles.end())
    return "the run has no role \"" + fault.target + "\"; it has " + listed(shape.roles);
  if (aims_at_region(fault.kind) && !is_region(fault.target, shape.regions))
    return "the run has no region \"" + fault.target + "\"; it has " +
           (shape.regions == 0 ? "none"
                               : "region.0 to region." + std::to_string(shape.regions - 1));
  if (!aims_at_role(fault.kind) && !aims_at_region(fault.kind) && !fault.target.empty())
    return "the kind aims at nothing, not at \"" + fault.target + "\"";
  if (has_duration(fault.kind) != (fault.duration_ms > 0))
    return has_duration(fault.kind) ? "it lasts for no time" : "the kind has no duration";
  if (fault.at_ms > day_ms || fault.duration_ms > day_ms || fault.after_events > after_events_max)
    return "it is longer than a day, or waits for more than " + std::to_string(after_events_max) +
           " messages";
  if (fault.at_window > 0) return "a living run's faults strike at instants: leave at_window out";
  return "";
}

Blast blast_of(const std::vector<Fault>& faults, const LiveShape& shape) {
  Blast blast;
  for (std::size_t place = 0; place < faults.size(); ++place) {
    const auto at_ms = faults[place].at_ms;
    std::set<std::string> roles;
    std::uint32_t others = 0;
    for (const auto& fault : faults) {
      if (fault.at_ms > at_ms || counted_until(fault) < at_ms) continue;
      const auto hit = roles_hit(fault, shape);
      roles.insert(hit.begin(), hit.end());
      others += hit.empty() ? 1 : 0;
    }
    const auto width = static_cast<std::uint32_t>(roles.size()) + others;
    if (width > blast.widest) blast = {width, place};
  }
  return blast;
}

std::uint32_t threads_held(const std::vector<Fault>& faults) {
  std::uint32_t most = 0;
  for (const auto& beginning : faults) {
    std::set<std::string> paused;
    for (const auto& fault : faults)
      if (fault.kind == FaultKind::pause && fault.target != "tolaria" && fault.target != "elesh" &&
          fault.at_ms <= beginning.at_ms && counted_until(fault) >= beginning.at_ms)
        paused.insert(fault.target);
    most = std::max(most, static_cast<std::uint32_t>(paused.size()));
  }
  return most;
}

std::uint64_t end_ms(const std::vector<Fault>& faults) {
  std::uint64_t end = 0;
  for (const auto& fault : faults) end = std::max(end, fault.at_ms + fault.duration_ms);
  return end;
}

}  // namespace esper
