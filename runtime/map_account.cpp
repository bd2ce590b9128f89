#include "runtime/map_account.hpp"

#include "actors/decisions/host_surgery.hpp"
#include "runtime/journal_kinds.hpp"

namespace esper {
namespace {

double share(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

bool stands(const LifeAccount& life) {
  return !life.stages.empty() && life.stages.back().stage != "culled" &&
         life.stages.back().stage != "retired";
}

}  // namespace

void MapAccountant::take(const JournalEntry& entry) {
  visit_payload<HostDescription>(entry, [&](const auto& host) {
    launched_ = left_ = host;
    embargoed_.assign(host.regions.size(), false);
    crisis_.assign(host.regions.size(), false);
  });
  visit_payload<SurgeryOutcome>(entry, [&](const auto& outcome) {
    if (outcome.refusal != SurgeryRefusal::none) return;
    if (const auto cut = after_cuts(left_, outcome.cuts, outcome.layers)) left_ = cut.value();
  });
  visit_payload<RegionReport>(entry, [&](const auto& report) {
    if (report.region.value < crisis_.size()) crisis_[report.region.value] = report.in_crisis;
  });
  visit_payload<StrategyPart>(entry, [&](const auto& part) {
    embargoed_.assign(embargoed_.size(), false);
    for (const RegionId region : part.zones.embargoed)
      if (region.value < embargoed_.size()) embargoed_[region.value] = true;
  });
}

MapAccount MapAccountant::map(const std::vector<LifeAccount>& lives) const {
  MapAccount map;
  map.host = launched_.name;
  for (std::size_t i = 0; i < launched_.regions.size(); ++i) {
    const RegionDescription& before = launched_.regions[i];
    const RegionDescription& after = left_.regions.at(i);
    RegionAccount region;
    region.region = before.name;
    region.parameters = before.parameters;
    region.operations = before.operations;
    region.parameters_left = after.parameters;
    region.operations_left = after.operations;
    region.parameters_share = share(after.parameters, left_.parameters);
    region.operations_share = share(after.operations, left_.operations);
    region.embargoed = embargoed_.at(i);
    region.crisis = crisis_.at(i);
    for (const LifeAccount& life : lives) {
      if (life.region != before.name || !stands(life)) continue;
      region.seeds.push_back(life.slot + ": " + life.blueprint + ", " + life.stages.back().stage);
      region.seed_parameters += life.parameters;
    }
    map.regions.push_back(std::move(region));
  }
  const auto name = [&](RegionId region) {
    return region.value < launched_.regions.size() ? launched_.regions[region.value].name
                                                   : std::to_string(region.value);
  };
  for (const RegionEdge& edge : launched_.edges)
    map.edges.push_back({name(edge.from), name(edge.to), edge.skip});
  return map;
}

}  // namespace esper
