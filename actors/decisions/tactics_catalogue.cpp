// What could be planted, where, and what it may bring.
#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/number.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace esper::tactics {
namespace {

const RiskSheet* sheet_of(const Catalogue& catalogue, const std::string& blueprint, SlotId slot) {
  for (const RiskSheet& sheet : catalogue.sheets)
    if (sheet.slot == slot && sheet.blueprint == blueprint) return &sheet;
  return nullptr;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : clip(static_cast<double>(part) / static_cast<double>(whole), 0, 1);
}

}  // namespace

std::vector<Plot> plots_of(RegionId region, const HostDescription& host) {
  std::vector<Plot> plots;
  std::vector<std::string> groups;  // of each plot
  for (std::uint32_t index = 0; index < host.slots.size(); ++index) {
    const SlotDescription& slot = host.slots[index];
    if (slot.region != region) continue;
    const auto known = std::find(groups.begin(), groups.end(), slot.group);
    if (!slot.group.empty() && known != groups.end()) {
      plots[static_cast<std::size_t>(known - groups.begin())].members.push_back({index});
      continue;
    }
    Plot plot;
    plot.slot = {index};
    plot.members = {{index}};
    plots.push_back(std::move(plot));
    groups.push_back(slot.group);
  }
  return plots;
}

std::vector<Candidate> candidates_of(RegionId region, const HostDescription& host,
                                     const Catalogue& catalogue, const std::vector<Plot>& plots,
                                     BlueprintClass blueprint_class) {
  std::vector<Candidate> candidates;
  const std::uint64_t own =
      region.value < host.regions.size() ? host.regions[region.value].parameters : 0;
  for (std::size_t index = 0; index < plots.size(); ++index) {
    const Plot& plot = plots[index];
    for (const Blueprint& blueprint : catalogue.blueprints) {
      if (blueprint.blueprint_class != blueprint_class) continue;
      const RiskSheet* first = sheet_of(catalogue, blueprint.name, plot.slot);
      if (first == nullptr) continue;  // G0: no sheet, no seed
      Candidate candidate;
      candidate.plot = index;
      candidate.blueprint = blueprint.name;
      candidate.confidence = first->confidence;
      candidate.exit = blueprint.sunset_exit;
      candidate.sunset_windows = blueprint.sunset_windows;
      candidate.foldable = foldable(blueprint.kind, host.slots[plot.slot.value].kind);
      for (const SlotId slot : plot.members) {
        // Members of a group are alike; one sheet may stand for all.
        const RiskSheet* own_sheet = sheet_of(catalogue, blueprint.name, slot);
        const RiskSheet& sheet = own_sheet != nullptr ? *own_sheet : *first;
        candidate.risk = std::max(candidate.risk, clip(sheet.risk, 0, 1));
        candidate.relative_norm =
            std::max(candidate.relative_norm, clip(sheet.relative_norm, 0, 1));
        candidate.confidence = std::min(candidate.confidence, sheet.confidence);
        candidate.parameters += sheet.parameters;
        candidate.quarantined = candidate.quarantined || sheet.quarantined;
        candidate.downstream =
            std::max(candidate.downstream,
                     share(host.slots[slot.value].operations_downstream, host.operations));
      }
      candidate.parameters_share = share(candidate.parameters, own);
      candidates.push_back(std::move(candidate));
    }
  }
  return candidates;
}

Candidate* candidate_of(Tactics& tactics, const SeedPlan& plan) {
  auto& candidates = plan.scaffold ? tactics.scaffold_candidates : tactics.candidates;
  return plan.candidate < candidates.size() ? &candidates[plan.candidate] : nullptr;
}

bool free_plot(const Tactics& tactics, std::size_t plot) {
  return tactics.plots[plot].stage == Stage::dormant &&
         std::none_of(tactics.plans.begin(), tactics.plans.end(),
                      [&](const SeedPlan& plan) { return plan.plot == plot; });
}

namespace {

/// The host as the surgeries have left it. Counted anew each time: they are rare, and a host for
/// each Narset to keep is not small.
HostDescription host_of(const Tactics& tactics) {
  HostDescription host = *tactics.launched;
  for (const auto& kept : tactics.surgeries)
    host = after_cuts(host, kept.cuts, kept.layers).value();
  return host;
}

}  // namespace

void recount(Tactics& tactics, const SurgeryOutcome& kept) {
  const HostDescription before = host_of(tactics);
  const auto cut = after_cuts(before, kept.cuts, kept.layers);
  if (!cut) return;
  const HostDescription& now = cut.value();
  tactics.surgeries.push_back(kept);
  for (RiskSheet& sheet : tactics.catalogue.sheets) {
    if (sheet.slot.value >= before.slots.size()) continue;
    const std::uint32_t channels = now.slots[sheet.slot.value].channels;
    if (channels == before.slots[sheet.slot.value].channels) continue;
    for (const Blueprint& blueprint : tactics.catalogue.blueprints)
      if (blueprint.name == sheet.blueprint) sheet.parameters = parameters_of(blueprint, channels);
  }
  // The same designs in the same order: only what they come to has changed.
  const auto anew = [&](std::vector<Candidate>& candidates, BlueprintClass blueprint_class) {
    auto counted =
        candidates_of(tactics.region, now, tactics.catalogue, tactics.plots, blueprint_class);
    for (std::size_t index = 0; index < counted.size(); ++index)
      counted[index].not_before = candidates[index].not_before;
    candidates = std::move(counted);
  };
  anew(tactics.candidates, BlueprintClass::growth);
  anew(tactics.scaffold_candidates, BlueprintClass::scaffold);
}

/// Before any experience a design is trusted with a little, and with more the more capacity it
/// adds: 0.01 + 0.1 * sqrt(parameters over the region's) nats. The prior weighs as one trial, so
/// that a design that disappoints soon falls behind those not yet tried.
ExpectedGain expected_gain(const Tactics& tactics, const Candidate& candidate) {
  const double prior = 0.01 + 0.1 * std::sqrt(candidate.parameters_share);
  double count = 1;
  double sum = prior;
  for (const Experience& past : tactics.experiences)
    if (past.blueprint == candidate.blueprint) {
      count += past.count;
      sum += past.gain_sum;
    }
  return {sum / count, prior / std::sqrt(count)};
}

void learn(Tactics& tactics, const std::string& blueprint, double realised) {
  const double sane = finite(realised) ? clip(realised, -1, 1) : 0;
  for (Experience& past : tactics.experiences)
    if (past.blueprint == blueprint) {
      ++past.count;
      past.gain_sum += sane;
      return;
    }
  tactics.experiences.push_back({blueprint, 1, sane});
}

}  // namespace esper::tactics
