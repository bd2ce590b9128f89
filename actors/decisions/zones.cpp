#include "actors/decisions/zones.hpp"

#include "actors/decisions/of_region.hpp"
#include "actors/decisions/planted.hpp"
#include "actors/decisions/region_graph.hpp"

#include <algorithm>

namespace esper {
namespace {

bool contains(const std::vector<RegionId>& regions, RegionId region) {
  return std::find(regions.begin(), regions.end(), region) != regions.end();
}

}  // namespace

Zones::Zones(std::vector<RegionEdge> edges, std::uint32_t regions, const ScaffoldConfig& config)
    : edges_(std::move(edges)),
      radius_(config.radius),
      clean_checkpoints_(config.clean_checkpoints),
      calm_(regions, true) {}

void Zones::open(RegionId region, Window window) {
  if (region.value >= calm_.size()) return;
  Entry& entry = entries_[region];
  if (entry.zone.since == Window{}) entry.zone.since = window;
  entry.zone.region = region;
  entry.zone.radius = radius_;
  entry.zone.sunset = entry.planted = false;
  entry.zone.clean_checkpoints = 0;
  restate();
}

void Zones::watch(const ZoneTurn& turn) {
  const bool gap = turn.window != seen_ + 1;  // a window that nobody tells of was not a calm one
  seen_ = turn.window;
  for (std::uint32_t region = 0; region < calm_.size(); ++region) {
    const RegionReport* report = of_region(turn.reports, RegionId{region});
    if (gap || report == nullptr || report->in_crisis || report->scaffolds > 0)
      calm_[region] = false;
    if (report != nullptr && report->scaffolds > 0) {
      if (!has_scaffold({region})) open({region}, turn.window);
      entries_.at({region}).planted = true;
    }
  }
}

void Zones::follow(Entry& entry, const ZoneTurn& turn) {
  const RegionReport* report = of_region(turn.reports, entry.zone.region);
  if (entry.zone.sunset) return;
  const bool gone = entry.planted ? report != nullptr && report->scaffolds == 0
                                  : !contains(turn.in_escrow, entry.zone.region);
  if (!gone) return;
  entry.zone.sunset = true;
  entry.left = turn.window;
}

bool Zones::clean(const Entry& entry) const {
  if (!entry.zone.sunset || (entry.left > checkpoint_ && !planted(Planted::zone_early)))
    return false;
  const auto within = regions_within(edges_, static_cast<std::uint32_t>(calm_.size()),
                                     entry.zone.region, entry.zone.radius);
  return std::all_of(within.begin(), within.end(),
                     [&](RegionId region) { return calm_[region.value]; });
}

std::vector<RegionId> Zones::observe(const ZoneTurn& turn) {
  watch(turn);
  for (auto& [region, entry] : entries_) follow(entry, turn);
  std::vector<RegionId> cleaned;
  if (turn.checkpoint) {
    for (auto& [region, entry] : entries_)
      if (clean(entry)) ++entry.zone.clean_checkpoints;
    std::erase_if(entries_, [&](const auto& one) {
      return one.second.zone.sunset && one.second.zone.clean_checkpoints >= clean_checkpoints_;
    });
    for (std::uint32_t region = 0; region < calm_.size(); ++region)
      if (calm_[region]) cleaned.push_back({region});
    std::fill(calm_.begin(), calm_.end(), true);
    checkpoint_ = turn.window;
  }
  restate();
  return cleaned;
}

bool Zones::embargoed(RegionId region) const {
  return std::binary_search(state_.embargoed.begin(), state_.embargoed.end(), region);
}

bool Zones::has_scaffold(RegionId region) const {
  const auto found = entries_.find(region);
  return found != entries_.end() && !found->second.zone.sunset;
}

void Zones::restate() {
  std::vector<bool> inside(calm_.size(), false);
  state_.zones.clear();
  for (const auto& [region, entry] : entries_) {
    state_.zones.push_back(entry.zone);
    for (const RegionId near : regions_within(edges_, static_cast<std::uint32_t>(calm_.size()),
                                              region, entry.zone.radius))
      inside[near.value] = true;
  }
  std::vector<RegionId> embargoed;
  for (std::uint32_t region = 0; region < inside.size(); ++region)
    if (inside[region]) embargoed.push_back({region});
  if (embargoed == state_.embargoed) return;
  state_.embargoed = std::move(embargoed);
  ++state_.version;
}

}  // namespace esper
