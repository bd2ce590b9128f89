#include "sim/host.hpp"

#include <algorithm>

#include "actors/decisions/random.hpp"

namespace esper::sim {

namespace {

constexpr std::uint32_t outer_channels = 16;
constexpr std::uint32_t inner_channels = 64;
constexpr std::uint64_t positions = 16;

std::uint64_t elements(const TensorDescription& tensor) {
  std::uint64_t count = 1;
  for (const auto size : tensor.shape) count *= size;
  return count;
}

void add_region(HostDescription& host, std::uint32_t index) {
  const RegionId region{index};
  const auto name = "r" + std::to_string(index);
  const std::string in = name + ".in.weight", out = name + ".out.weight";
  host.tensors.push_back({in, {inner_channels, outer_channels}, positions});
  host.tensors.push_back({out, {outer_channels, inner_channels}, positions});
  host.regions.push_back({name, {name + "."}, 0, 0});
  host.coupled_groups.push_back(
      {name + ".inner", region, inner_channels, {{in, 0, 1}, {out, 1, 1}}, {}});
  for (const char* suffix : {".a", ".b", ".c"})
    host.slots.push_back(
        {name + suffix, region, SlotKind::point, "", outer_channels, 4, 4, 0, out});
  host.slots.push_back(
      {name + ".beside", region, SlotKind::branch, "", outer_channels, 4, 4, 0, out});
}

}  // namespace

HostDescription simulated_host(std::uint32_t regions) {
  HostDescription host;
  host.name = "simulated";
  for (std::uint32_t i = 0; i < regions; ++i) add_region(host, i);
  for (std::uint32_t i = 0; i + 1 < regions; ++i) host.edges.push_back({{i}, {i + 1}, false});
  for (std::uint32_t i = 0; i + 4 < regions; i += 4) host.edges.push_back({{i}, {i + 4}, true});
  std::uint64_t behind = 0;
  for (std::size_t i = host.tensors.size(); i-- > 0;) {
    const auto& tensor = host.tensors[i];
    if (i % 2 == 1)  // slots stand behind their region's last tensor
      for (auto& slot : host.slots)
        if (slot.region.value == i / 2) slot.operations_downstream = behind;
    const std::uint64_t operations = elements(tensor) * tensor.operations_per_element;
    behind += operations;
    host.parameters += elements(tensor);
    host.operations += operations;
    host.regions[i / 2].parameters += elements(tensor);
    host.regions[i / 2].operations += operations;
  }
  return host;
}

Catalogue simulated_catalogue(const HostDescription& host) {
  struct Design {
    const char* name;
    BlueprintKind kind;
    BlueprintClass blueprint_class;
    double risk;
    std::uint64_t parameters;
  };
  constexpr Design designs[]{
      {"bottleneck", BlueprintKind::bottleneck, BlueprintClass::growth, 0.15, 200},
      {"low_rank", BlueprintKind::low_rank, BlueprintClass::growth, 0.1, 120},
      {"depthwise", BlueprintKind::depthwise_separable, BlueprintClass::growth, 0.3, 300},
      {"norm_scaffold", BlueprintKind::normalisation, BlueprintClass::scaffold, 0.2, 32},
      {"wide_scaffold", BlueprintKind::bottleneck, BlueprintClass::scaffold, 0.25, 200}};
  Catalogue catalogue;
  for (const auto& design : designs) {
    Blueprint blueprint;
    blueprint.name = design.name;
    blueprint.kind = design.kind;
    blueprint.blueprint_class = design.blueprint_class;
    if (design.blueprint_class == BlueprintClass::scaffold) {
      blueprint.sunset_exit = SunsetExit::either;
      blueprint.sunset_windows = 16;
    }
    catalogue.blueprints.push_back(blueprint);
    for (std::uint32_t slot = 0; slot < host.slots.size(); ++slot) {
      RiskSheet sheet;
      sheet.blueprint = design.name;
      sheet.slot = {slot};
      sheet.gradient_gain = sheet.output_gain = 1.1;
      sheet.relative_norm = 0.3;
      sheet.parameters = design.parameters;
      sheet.operations = design.parameters * positions;
      sheet.bytes = design.parameters * 16;
      sheet.risk = design.risk;
      sheet.confidence = 0.9;
      sheet.quarantined = slot % 13 == 7 && design.risk >= 0.3;
      catalogue.sheets.push_back(sheet);
    }
  }
  return catalogue;
}

RunConfig simulated_config(std::uint64_t seed) {
  RandomStream stream(seed, "sim.config");
  RunConfig config;
  config.name = "simulated";
  config.seed = seed;
  config.pace.mode = stream.below(4) == 0 ? Pace::free : Pace::lockstep;
  config.pace.stall_ms_max = 10'000;
  config.time.window_steps = 10;
  config.time.checkpoint_cycles = 1;
  config.gates.updates_min = 10;
  config.budget.emergency_sizing = stream.below(2) == 0 ? PoolSizing::adaptive : PoolSizing::fixed;
  config.budget.emergency_share = stream.below(2) == 0 ? 0.1 : 0.4;
  config.budget.throttle = stream.below(3) == 0 ? 0.6 : 0.15;
  config.budget.compaction_share = stream.below(3) == 0 ? 0.4 : 1;
  config.budget.mint_per_region = 22;  // so that structures stand still between checkpoints
  config.allocation.policy =
      stream.below(3) == 0 ? AllocationPolicy::uniform : AllocationPolicy::bandit;
  config.compaction.importance_lost_max = 0.001;  // many small rounds
  // Few seeds: structures stand still, and plans for them are approved more often.
  config.limits.seeds_max = stream.below(2) == 0 ? 5 : 12;
  // In some runs shadow passes cost more than they may.
  config.limits.overhead_ratio_max = stream.below(4) == 0 ? 0.3 : 3;
  config.limits.parameters_max = 45'000;
  config.control.restarts_max = 5;
  config.control.period_ms = 20'000;
  config.control.backoff_ms_first = 100;
  config.control.backoff_ms_max = 2'000;
  config.control.retry_ms = 1'000;
  config.scaffolds.thrash_scaffolds = 3;
  config.scaffolds.thrash_windows = 24;
  return config;
}

}  // namespace esper::sim
