#pragma once
// A small host, its designs and settings as data, for tests of tactics.
#include <string>
#include <string_view>

#include "actors/decisions/tactics.hpp"

namespace esper {

/// Two point slots in region 0, one in region 1, and three designs measured everywhere.
inline HostDescription scripted_host() {
  HostDescription host;
  host.name = "scripted";
  host.regions = {{"front", {"front."}, 1'000, 50'000}, {"back", {"back."}, 1'000, 50'000}};
  const std::uint64_t downstream[]{80'000, 60'000, 20'000};
  for (std::uint32_t index = 0; index < 3; ++index) {
    SlotDescription slot;
    slot.name = "slot." + std::to_string(index);
    slot.region = {index == 2 ? 1U : 0U};
    slot.channels = 8;
    slot.height = slot.width = 4;
    slot.operations_downstream = downstream[index];
    host.slots.push_back(slot);
  }
  host.parameters = 2'000;
  host.operations = 100'000;
  return host;
}

inline Catalogue scripted_catalogue() {
  Catalogue catalogue;
  for (const char* name : {"low", "middle", "high"}) {
    Blueprint blueprint;
    blueprint.name = name;
    catalogue.blueprints.push_back(blueprint);
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      RiskSheet sheet;
      sheet.blueprint = name;
      sheet.slot = {slot};
      sheet.relative_norm = 0.5;
      sheet.parameters = 200;
      sheet.risk = 0.2;
      sheet.confidence = 0.9;
      catalogue.sheets.push_back(sheet);
    }
  }
  return catalogue;
}

inline TacticsSettings scripted_settings() {
  TacticsSettings settings;
  settings.gates.updates_min = 20;
  settings.seed = 7;
  return settings;
}

/// The same designs and two scaffolds: one that folds in branch slots, one that never does.
inline Catalogue scaffold_catalogue() {
  Catalogue catalogue = scripted_catalogue();
  for (const char* name : {"folding", "weaning"}) {
    Blueprint blueprint;
    blueprint.name = name;
    blueprint.kind = std::string_view{name} == "folding" ? BlueprintKind::normalisation
                                                         : BlueprintKind::bottleneck;
    blueprint.blueprint_class = BlueprintClass::scaffold;
    blueprint.sunset_exit = SunsetExit::either;
    blueprint.sunset_windows = 24;
    catalogue.blueprints.push_back(blueprint);
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      RiskSheet sheet = catalogue.sheets.front();
      sheet.blueprint = name;
      sheet.slot = {slot};
      catalogue.sheets.push_back(sheet);
    }
  }
  return catalogue;
}

/// The first slot of region 0 stands beside a layer.
inline HostDescription branching_host() {
  HostDescription host = scripted_host();
  host.slots[0].kind = SlotKind::branch;
  return host;
}

/// Region 0 of a host with one branch slot, and scaffolds to choose from.
inline Tactics scaffold_tactics(const TacticsSettings& settings = scripted_settings()) {
  return {RegionId{0}, settings, branching_host(), scaffold_catalogue()};
}

inline Tactics scripted_tactics(const TacticsSettings& settings = scripted_settings()) {
  return {RegionId{0}, settings, scripted_host(), scripted_catalogue()};
}

}  // namespace esper
