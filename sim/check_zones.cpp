#include "sim/check_zones.hpp"

#include <algorithm>
#include <limits>

namespace esper::sim {

ZoneCheck::ZoneCheck(Findings& findings, const HostDescription& host, const Catalogue& catalogue,
                     std::uint32_t radius)
    : findings_(findings), host_(host), radius_(radius) {
  for (const auto& blueprint : catalogue.blueprints)
    if (blueprint.blueprint_class == BlueprintClass::scaffold) scaffolds_.insert(blueprint.name);
}

std::set<RegionId> ZoneCheck::near(RegionId region) const {
  std::set<RegionId> reached{region};
  for (std::uint32_t hop = 0; hop < radius_; ++hop) {
    auto wider = reached;
    for (const auto& edge : host_.edges) {
      if (reached.contains(edge.from)) wider.insert(edge.to);
      if (reached.contains(edge.to)) wider.insert(edge.from);
    }
    reached = std::move(wider);
  }
  return reached;
}

std::set<RegionId> ZoneCheck::regions_of(const GroupCut& cut) const {
  std::set<RegionId> touched;
  for (const auto& group : host_.coupled_groups) {
    if (group.name != cut.group) continue;
    touched.insert(group.region);
    for (const auto& dimension : group.dimensions)
      for (std::uint32_t region = 0; region < host_.regions.size(); ++region)
        for (const auto& prefix : host_.regions[region].parameter_prefixes)
          if (dimension.tensor.starts_with(prefix)) touched.insert({region});
  }
  return touched;
}

void ZoneCheck::operated(const SurgeryOutcome& outcome, Window window) {
  for (const auto& cut : outcome.cuts) {
    const auto touched = regions_of(cut);
    for (const auto& [region, zone] : zones_)
      for (const RegionId inside : near(region))
        if (touched.contains(inside))
          findings_.report("ZONE-1", "window " + std::to_string(window.value) + ": " + cut.group +
                                         " was cut inside the zone of region " +
                                         std::to_string(region.value) + ", which stands since " +
                                         std::to_string(zone.since.value));
  }
}

/// What became of the scaffolds, by the outcomes of their commands. One that nobody could carry
/// out, since Kasmina was gone, has none.
void ZoneCheck::follow_outcomes(const SeenTurn& turn) {
  constexpr Window never{std::numeric_limits<std::uint64_t>::max()};
  for (const auto& command : turn.commands)
    if (command.kind == CommandKind::germinate && scaffolds_.contains(command.blueprint))
      if (const auto zone = zones_.find(command.id.region); zone != zones_.end()) {
        zone->second.standing.emplace(command.seed, command.authority_until);
        zone->second.planted = true;
        zone->second.left = {};
      }
  for (const auto& outcome : turn.outcomes) {
    const auto found = zones_.find(outcome.region);
    if (found == zones_.end() || outcome.reflex) continue;
    auto& standing = found->second.standing;
    const auto scaffold = standing.find(outcome.seed);
    if (scaffold == standing.end()) continue;
    const bool kept = outcome.refusal == CommandRefusal::none;
    if (kept && outcome.kind == CommandKind::germinate) scaffold->second = never;
    const bool left = kept ? outcome.kind == CommandKind::retire ||
                                 outcome.kind == CommandKind::cull ||
                                 outcome.kind == CommandKind::roll_back
                           : outcome.kind == CommandKind::germinate;
    if (left) standing.erase(scaffold);
  }
  for (auto& [region, zone] : zones_) {
    std::erase_if(zone.standing, [&](const auto& one) {
      return one.second.value < turn.window.value - 1;  // its outcome would stand here by now
    });
    if (zone.planted && zone.standing.empty() && zone.left.value == 0) zone.left = turn.window;
  }
}

void ZoneCheck::follow(const SeenTurn& turn) {
  follow_outcomes(turn);
  for (auto& [region, zone] : zones_) {
    bool returned = false;
    if (const auto* report = turn.report_of(region)) {
      zone.crisis = zone.crisis || report->in_crisis;
      if (lied_to_.contains(region)) {
        zone.planted = zone.planted || report->scaffolds > 0;
        if (zone.planted && report->scaffolds == 0 && zone.left.value == 0) {
          zone.standing.clear();
          zone.left = turn.window;
        }
      }
      for (const auto& movement : report->movements)
        returned = returned || movement.kind == MovementKind::give_back;
    }
    if (turn.strategy)
      for (const auto& answers : turn.strategy->answers)
        returned = returned || (answers.region == region && answers.emergency_reclaimed);
    if (returned && !zone.planted && zone.left.value == 0) zone.left = turn.window;
  }
}

void ZoneCheck::take(const SeenTurn& turn) {
  follow(turn);
  if (turn.checkpoint) {
    lifted_ += std::erase_if(zones_, [&](const auto& one) {
      const auto& zone = one.second;
      return zone.standing.empty() && zone.left.value > 0 && zone.left <= checkpoint_ &&
             !zone.crisis;
    });
    for (auto& [region, zone] : zones_) zone.crisis = false;
    checkpoint_ = turn.window;
  }
  if (!turn.strategy) return;
  for (const auto& answers : turn.strategy->answers)
    for (const auto& verdict : answers.scaffolds)
      if (verdict.answer == ScaffoldAnswer::granted) {
        auto& zone = zones_[answers.region];
        if (zone.since.value == 0) {
          zone.since = turn.window;
          ++opened_;
        }
        zone.planted = false;
        zone.left = {};
      }
  const auto& said = turn.strategy->zones.embargoed;
  for (const auto& [region, zone] : zones_)
    for (const RegionId inside : near(region))
      if (std::find(said.begin(), said.end(), inside) == said.end())
        findings_.report("ZONE-1", "window " + std::to_string(turn.window.value) + ": region " +
                                       std::to_string(inside.value) +
                                       " is out of the zone that region " +
                                       std::to_string(region.value) + " has since window " +
                                       std::to_string(zone.since.value));
}

}  // namespace esper::sim
