#include "sim/fault.hpp"

#include <algorithm>
#include <array>

#include "actors/decisions/random.hpp"

namespace esper::sim {

namespace {

constexpr std::uint64_t minute_ms = 60'000;
constexpr std::uint64_t first_ms = 5'000;  // before there is nothing to disturb
constexpr std::uint64_t faults_a_minute = 2;
constexpr std::uint64_t kinds = EnumNames<FaultKind>::values.size();

/// Kills and pauses of roles are what most goes wrong with; the rest alike.
FaultKind draw_kind(RandomStream& stream) {
  const auto drawn = stream.below(kinds + 12);
  if (drawn < 8) return FaultKind::kill;
  if (drawn < 12) return FaultKind::pause;
  return static_cast<FaultKind>(drawn - 12);
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

}  // namespace

bool aims_at_role(FaultKind kind) { return kind == FaultKind::kill || kind == FaultKind::pause; }

bool aims_at_region(FaultKind kind) {
  switch (kind) {
    case FaultKind::telemetry_nan:
    case FaultKind::telemetry_absurd:
    case FaultKind::telemetry_stale:
    case FaultKind::telemetry_doubled:
    case FaultKind::kasmina_lies:
    case FaultKind::shake:
    case FaultKind::melt:
    case FaultKind::blow_up:
    case FaultKind::escape:
    case FaultKind::freeze:
    case FaultKind::grant:
      return true;
    default:
      return false;
  }
}

bool aims_at_node(FaultKind kind) { return kind >= FaultKind::node_lost; }

bool has_duration(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill:
    case FaultKind::kill_all:
    case FaultKind::disk_torn:
    case FaultKind::disk_crash_before:
    case FaultKind::disk_crash_after:
    case FaultKind::blow_up:
    case FaultKind::escape:
    case FaultKind::turn_twice:
      return false;
    default:
      return true;
  }
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
  std::vector<Fault> faults;
  for (std::uint64_t from = 0; from < until_ms; from += minute_ms)
    for (std::uint64_t i = 0; i < 1 + stream.below(faults_a_minute * 2); ++i) {
      const std::uint64_t end = std::min(from + minute_ms, until_ms);
      const std::uint64_t begin = std::min(std::max(from, first_ms), end - 1);
      faults.push_back(draw_fault(stream, regions, begin, end));
    }
  std::stable_sort(faults.begin(), faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at_ms < b.at_ms; });
  return faults;
}

std::string told(const Fault& fault) {
  std::string text = std::to_string(fault.at_ms) + " ms + " + std::to_string(fault.after_events) +
                     " messages: " + std::string{name_of(fault.kind)};
  if (!fault.target.empty()) text += " " + fault.target;
  if (fault.duration_ms > 0) text += " for " + std::to_string(fault.duration_ms) + " ms";
  return text;
}

}  // namespace esper::sim
