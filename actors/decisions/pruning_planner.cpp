#include "actors/decisions/pruning_planner.hpp"

#include "actors/decisions/amounts.hpp"
#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/layer_redundancy.hpp"
#include "actors/decisions/number.hpp"
#include "actors/decisions/pricing.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace esper {
namespace {

/// One way to cut one group.
struct Candidate {
  GroupCut cut;
  double lost{};  ///< share of the group's importance
  double lost_importance{}, importance{};
  Price price;
};

/// Ways to cut one group, deeper and deeper, and the one that is chosen so far.
struct Choices {
  std::vector<Candidate> steps;
  std::optional<std::size_t> chosen;

  [[nodiscard]] Energy energy() const { return chosen ? steps[*chosen].price.energy : Energy{}; }
};

const CoupledGroup* group_of(const HostDescription& host, const std::string& name) {
  const auto& groups = host.coupled_groups;
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const CoupledGroup& group) { return group.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

/// Why these numbers cannot be planned from; "" when they can.
std::string unusable(const GroupImportance& measured, const CoupledGroup* group) {
  if (group == nullptr) return "the host has no group " + measured.group;
  if (measured.importance.size() != group->channels)
    return measured.group + " has " + std::to_string(group->channels) +
           " channels, importance of " + std::to_string(measured.importance.size());
  for (const double importance : measured.importance)
    if (!finite(importance) || importance < 0)
      return measured.group + "'s importance is not a number of at least 0";
  return "";
}

/// Channels from the least important on; of equals the less alive first, where that is known.
std::vector<std::uint32_t> ranked(const GroupImportance& measured) {
  const std::size_t channels = measured.importance.size();
  const bool alive_known = measured.activity.size() == channels &&
                           std::all_of(measured.activity.begin(), measured.activity.end(), finite);
  std::vector<std::uint32_t> order(channels);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (measured.importance[a] != measured.importance[b])
      return measured.importance[a] < measured.importance[b];
    if (alive_known && measured.activity[a] != measured.activity[b])
      return measured.activity[a] < measured.activity[b];
    return a < b;
  });
  return order;
}

/// `Part`: a group that loses channels, or a layer that leaves.
template <typename Part>
Price price_of_cut(const HostDescription& host, const Part& cut, double lost,
                   std::uint64_t parameters_saved, const BudgetConfig& budget) {
  constexpr double risk_min = 0.05;
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 1;
  };
  const std::uint64_t region =
      cut.region.value < host.regions.size() ? host.regions[cut.region.value].parameters : 0;
  return price_of({.base_risk = std::max(lost, risk_min),
                   .volatility = 0,
                   .downstream = share(operations_behind(host, cut), host.operations),
                   .relative_norm = lost,
                   .parameters_share = share(parameters_saved, region),
                   .on_graph = true},
                  budget);
}

/// Fewest channels whose entries are a multiple of `entries` in every tensor that they touch: a
/// head of 16 entries is one by itself.
std::uint32_t width_step(const CoupledGroup& group, std::uint32_t entries) {
  std::uint32_t step = 1;
  for (const CoupledDimension& dimension : group.dimensions)
    step = std::lcm(step, entries / std::gcd(entries, std::max(dimension.stride, 1U)));
  return step;
}

Choices choices_of(const HostDescription& host, const CoupledGroup& group,
                   const GroupImportance& measured, const RunConfig& config) {
  const std::uint32_t least = least_kept(group.channels, config.compaction);
  const std::uint32_t multiple = width_step(group, std::max(config.compaction.width_multiple, 1U));
  const std::vector<std::uint32_t> order = ranked(measured);
  double whole = 0;
  for (const std::uint32_t channel : order) whole += measured.importance[channel];
  Choices choices;
  for (std::uint32_t kept = (group.channels - 1) / multiple * multiple; kept >= least;
       kept -= std::min(kept, multiple)) {
    const std::uint32_t gone = group.channels - kept;
    Candidate candidate;
    candidate.cut = {group.name, {order.begin() + gone, order.end()}};
    std::sort(candidate.cut.kept.begin(), candidate.cut.kept.end());
    for (std::uint32_t i = 0; i < gone; ++i)
      candidate.lost_importance += measured.importance[order[i]];
    candidate.importance = whole;
    // Of a group without any importance nothing is known: each channel counts alike.
    candidate.lost = whole > 0 ? clip(candidate.lost_importance / whole, 0, 1)
                               : static_cast<double>(gone) / group.channels;
    if (!(candidate.lost <= config.compaction.importance_lost_max)) break;  // deeper loses more
    const auto cut = after_cuts(host, {candidate.cut});
    if (!cut) break;
    candidate.price = price_of_cut(host, group, candidate.lost,
                                   host.parameters - cut.value().parameters, config.budget);
    choices.steps.push_back(std::move(candidate));
  }
  return choices;
}

std::vector<GroupCut> chosen_cuts(const std::vector<Choices>& groups) {
  std::vector<GroupCut> cuts;
  for (const Choices& group : groups)
    if (group.chosen) cuts.push_back(group.steps[*group.chosen].cut);
  return cuts;
}

Energy chosen_energy(const std::vector<Choices>& groups) {
  Energy sum;
  for (const Choices& group : groups) sum += group.energy();
  return sum;
}

/// The one deeper step of one group that saves most operations per energy, fits and leaves `least`
/// operations; false: none.
bool deepen(const HostDescription& host, std::vector<Choices>& groups, Energy allowance,
            std::uint64_t least) {
  const Energy left = allowance - chosen_energy(groups);
  const std::uint64_t before = after_cuts(host, chosen_cuts(groups)).value().operations;
  double best = 0;
  std::pair<std::size_t, std::size_t> found;
  for (std::size_t place = 0; place < groups.size(); ++place) {
    Choices& group = groups[place];
    const std::optional<std::size_t> chosen = group.chosen;
    const Energy paid = group.energy();
    for (std::size_t step = chosen ? *chosen + 1 : 0; step < group.steps.size(); ++step) {
      const Energy more = group.steps[step].price.energy - paid;
      if (more > left) continue;
      group.chosen = step;
      const auto cut = after_cuts(host, chosen_cuts(groups));
      group.chosen = chosen;
      if (!cut || cut.value().operations >= before || cut.value().operations < least) continue;
      const double worth = static_cast<double>(before - cut.value().operations) /
                           static_cast<double>(std::max<std::int64_t>(more.thousandths, 1));
      if (worth <= best) continue;
      best = worth;
      found = {place, step};
    }
  }
  if (best > 0) groups[found.first].chosen = found.second;
  return best > 0;
}

std::string none_fits(const std::vector<Choices>& groups, Energy allowance, std::uint64_t least) {
  Energy cheapest = energy_max;
  for (const Choices& group : groups)
    for (const Candidate& step : group.steps) cheapest = std::min(cheapest, step.price.energy);
  if (cheapest <= allowance)
    return "no cut that fits saves anything and leaves the host " + std::to_string(least) +
           " operations per sample";
  return "the cheapest cut costs " + std::to_string(cheapest.thousandths) +
         " thousandths of an allowance of " + std::to_string(allowance.thousandths);
}

PruningPlan plan_of(const HostDescription& host, const std::vector<Choices>& groups) {
  PruningPlan plan;
  double lost = 0, whole = 0;
  for (const Choices& group : groups) {
    if (!group.chosen) continue;
    const Candidate& cut = group.steps[*group.chosen];
    plan.cuts.push_back(cut.cut);
    lost += cut.lost_importance;
    whole += cut.importance;
    if (plan.price.energy < cut.price.energy) plan.price = cut.price;
  }
  plan.importance_lost = whole > 0 ? clip(lost / whole, 0, 1) : 0;
  plan.price.energy = chosen_energy(groups);
  const HostDescription after = after_cuts(host, plan.cuts).value();
  plan.parameters_saved = host.parameters - after.parameters;
  plan.operations_saved = host.operations - after.operations;
  return plan;
}

/// Why nothing is planned before any number is looked at; "" when something may be.
std::string no_ground(const PlanningTurn& turn, const std::optional<ImportanceReport>& importance,
                      const std::string& problem, const RunConfig& config) {
  if (!config.compaction.enabled) return "compaction is switched off";
  if (!importance) return problem.empty() ? "importance was not measured" : problem;
  if (importance->checkpoint != turn.checkpoint)
    return problem.empty()
               ? "importance is of checkpoint " + std::to_string(importance->checkpoint) +
                     ", not of " + std::to_string(turn.checkpoint)
               : problem;
  if (!importance->problem.empty()) return importance->problem;
  if (!after_cuts(importance->host, {})) return "the host cannot be counted from its description";
  if (turn.allowance <= Energy{}) return "there is no pruning allowance";
  return "";
}

/// `Part`: a group or a layer.
template <typename Part>
bool reaches(const HostDescription& host, const Part& part, const std::vector<RegionId>& regions) {
  const auto touched = regions_touched(host, part);
  return std::find_first_of(touched.begin(), touched.end(), regions.begin(), regions.end()) !=
         touched.end();
}

/// A share that is no number is the whole.
std::uint64_t share_rounded_up(std::uint64_t whole, double share) {
  const double exact = clip(share, 0, 1) * static_cast<double>(whole);
  const auto floored = static_cast<std::uint64_t>(exact);
  return std::min(static_cast<double>(floored) < exact ? floored + 1 : floored, whole);
}

void mark_diagnostics(ImportanceReport& importance, const ZoneState& zones) {
  for (GroupImportance& measured : importance.groups) {
    const CoupledGroup* group = group_of(importance.host, measured.group);
    if (group == nullptr) continue;
    measured.diagnostics_only =
        measured.diagnostics_only || reaches(importance.host, *group, zones.embargoed);
  }
  for (LayerImportance& measured : importance.layers)
    if (const ResidualLayer* layer = residual_layer(importance.host, measured.layer))
      measured.diagnostics_only =
          measured.diagnostics_only || reaches(importance.host, *layer, zones.embargoed);
}

/// Why what was measured of whole layers outside zones cannot be planned from; "" when it can.
std::string unusable(const HostDescription& host, const std::vector<LayerImportance>& layers) {
  std::vector<std::string> seen;
  for (const LayerImportance& measured : layers) {
    if (measured.diagnostics_only) continue;
    const ResidualLayer* layer = residual_layer(host, measured.layer);
    if (layer == nullptr || layer->removed) return "the host has no layer " + measured.layer;
    if (!finite(measured.importance) || measured.importance < 0 || !finite(measured.similarity))
      return measured.layer + "'s importance and similarity are not numbers";
    if (std::find(seen.begin(), seen.end(), measured.layer) != seen.end())
      return measured.layer + " was measured twice";
    seen.push_back(measured.layer);
  }
  return "";
}

/// The first redundant layer that can be paid for and spared. It leaves alone, so that what is
/// verified at the boundary is what it did.
std::optional<PruningPlan> plan_of_layer(const PlanningTurn& turn,
                                         const ImportanceReport& importance,
                                         const RunConfig& config, std::uint64_t least) {
  const HostDescription& host = importance.host;
  for (const RedundantLayer& one : redundant_layers(host, importance.layers, config.compaction)) {
    const auto& needed = turn.layers_needed;
    if (std::find(needed.begin(), needed.end(), one.layer) != needed.end()) continue;
    const ResidualLayer& layer = *residual_layer(host, one.layer);
    if (reaches(host, layer, turn.busy)) continue;
    const auto after = after_cuts(host, {}, {one.layer});
    if (!after || after.value().operations < least || after.value().operations >= host.operations)
      continue;
    PruningPlan plan;
    plan.layers = {one.layer};
    plan.importance_lost = one.lost;
    plan.parameters_saved = host.parameters - after.value().parameters;
    plan.operations_saved = host.operations - after.value().operations;
    plan.price = price_of_cut(host, layer, one.lost, plan.parameters_saved, config.budget);
    if (plan.price.energy <= turn.allowance) return plan;
  }
  return std::nullopt;
}

}  // namespace

std::uint32_t least_kept(std::uint32_t channels, const CompactionConfig& config) {
  return std::max(static_cast<std::uint32_t>(share_rounded_up(channels, config.keep_share_min)),
                  1U);
}

std::uint64_t least_operations(const HostDescription& launched, const CompactionConfig& config) {
  return share_rounded_up(launched.operations, config.operations_share_min);
}

PruningPart plan_pruning(const PlanningTurn& turn,
                         const std::optional<ImportanceReport>& importance,
                         const std::string& problem, const RunConfig& config,
                         const HostDescription& launched) {
  PruningPart part;
  part.window = turn.window;
  part.importance = importance;
  if (part.importance) mark_diagnostics(*part.importance, turn.zones);
  part.reason = no_ground(turn, importance, problem, config);
  if (!part.reason.empty()) return part;

  const HostDescription& host = importance->host;
  const std::uint64_t least = least_operations(launched, config.compaction);
  const auto finish = [&](PruningPlan plan) {
    plan.id = turn.checkpoint;
    plan.structure_version = importance->structure_version;
    plan.zone_version = turn.zones.version;
    part.plan = std::move(plan);
    return part;
  };
  part.reason = unusable(host, part.importance->layers);
  if (!part.reason.empty()) return part;
  if (auto plan = plan_of_layer(turn, *part.importance, config, least))
    return finish(*std::move(plan));

  std::vector<Choices> groups;
  std::vector<std::string> seen;
  bool outside = false, calm = false, possible = false;
  for (const GroupImportance& measured : part.importance->groups) {
    if (measured.diagnostics_only) continue;
    const CoupledGroup* group = group_of(host, measured.group);
    outside = true;
    if (group != nullptr && reaches(host, *group, turn.busy)) continue;
    calm = true;
    part.reason = unusable(measured, group);
    if (std::find(seen.begin(), seen.end(), measured.group) != seen.end())
      part.reason = measured.group + " was measured twice";
    if (!part.reason.empty()) return part;
    seen.push_back(measured.group);
    if (group->channels == 0) continue;
    groups.push_back(choices_of(host, *group, measured, config));
    possible = possible || !groups.back().steps.empty();
  }
  if (!outside)
    part.reason = part.importance->groups.empty() ? "nothing was measured"
                                                  : "every group reaches into a zone";
  else if (!calm)
    part.reason = "seeds stand wherever a group outside zones reaches";
  else if (!possible)
    part.reason = "no group can lose channels and keep enough of its width and importance";
  if (!part.reason.empty()) return part;

  while (deepen(host, groups, turn.allowance, least)) {
  }
  if (chosen_cuts(groups).empty()) {
    part.reason = none_fits(groups, turn.allowance, least);
    return part;
  }
  return finish(plan_of(host, groups));
}

}  // namespace esper
