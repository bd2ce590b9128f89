// Pruning plans before Tamiyo: approved, or refused each by its own reason; and what became of
// them.
#include "actors/decisions/host_surgery.hpp"
#include "actors/decisions/pruning_planner.hpp"
#include "actors/decisions/strategy_parts.hpp"
#include "actors/decisions/throttle.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace esper::strategy {
namespace {

PlanVerdict refused(const PruningPlan& plan, SurgeryRefusal refusal, std::string detail) {
  return {plan.id, refusal, std::move(detail)};
}

const CoupledGroup* group_of(const HostDescription& host, const std::string& name) {
  const auto& groups = host.coupled_groups;
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const CoupledGroup& group) { return group.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

/// The first region of which `closed` is true that the plan would change; "" when there is none.
template <typename Closed>
std::string closed_region(const Strategy& strategy, const PruningPlan& plan, const Closed& closed) {
  for (const GroupCut& cut : plan.cuts) {
    const CoupledGroup* group = group_of(strategy.host, cut.group);
    if (group == nullptr) continue;  // named nowhere: uncoupled, below
    for (const RegionId region : regions_touched(strategy.host, *group))
      if (closed(region))
        return cut.group + " reaches into region " + strategy.host.regions[region.value].name;
  }
  for (const std::string& name : plan.layers) {
    const ResidualLayer* layer = residual_layer(strategy.host, name);
    if (layer == nullptr) continue;
    for (const RegionId region : regions_touched(strategy.host, *layer))
      if (closed(region))
        return name + " reaches into region " + strategy.host.regions[region.value].name;
  }
  return "";
}

/// A group named twice could be cut below what one round may leave.
bool names_a_group_twice(const PruningPlan& plan) {
  std::set<std::string> names;
  return std::any_of(plan.cuts.begin(), plan.cuts.end(),
                     [&](const GroupCut& cut) { return !names.insert(cut.group).second; });
}

bool needed(const Strategy& strategy, const std::string& layer) {
  const auto& layers = strategy.layers_needed;
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

std::string too_deep_cut(const Strategy& strategy, const PruningPlan& plan) {
  for (const GroupCut& cut : plan.cuts) {
    const CoupledGroup* group = group_of(strategy.host, cut.group);
    const std::uint32_t least = least_kept(group->channels, strategy.settings.compaction);
    if (cut.kept.size() < least)
      return cut.group + " would keep " + std::to_string(cut.kept.size()) + " of " +
             std::to_string(group->channels) + " channels, at least " + std::to_string(least);
  }
  if (plan.layers.size() > 1) return "more than one whole layer would leave in one round";
  for (const std::string& name : plan.layers)
    if (last_of_region(strategy.host, *residual_layer(strategy.host, name)))
      return name + " is the last layer of its region";
  const std::uint64_t left = after_cuts(strategy.host, plan.cuts, plan.layers).value().operations;
  const std::uint64_t least =
      least_operations(strategy.settings.host, strategy.settings.compaction);
  if (left < least)
    return "the host would keep " + std::to_string(left) + " operations per sample, at least " +
           std::to_string(least);
  return "";
}

/// Why the host cannot bear another round yet; "" when it can.
std::string unrecovered(const Strategy& strategy) {
  const double bound = strategy.gate_loss_best + strategy.settings.compaction.recovery_loss_max;
  if (strategy.gate_loss <= bound) return "";
  return "the gate split's loss is " + std::to_string(strategy.gate_loss) + ", at most " +
         std::to_string(bound);
}

/// Why too little training is left for a cut host; "" when enough is.
std::string too_late(const Strategy& strategy, const std::vector<RegionReport>& reports) {
  const double least = strategy.settings.compaction.learning_rate_ratio_min;
  for (const RegionReport& report : reports)
    if (!(report.learning_rate_ratio >= least))
      return "the learning rate is " + std::to_string(report.learning_rate_ratio) +
             " of its peak, at least " + std::to_string(least);
  return "";
}

/// The first rule that the plan breaks.
PlanVerdict judge(const Strategy& strategy, const TurnReports& turn) {
  const PruningPlan& plan = *turn.plan;
  const Window window = turn.window;
  const TimeConfig& time = strategy.settings.time;
  if (checkpoint_at(window + 1, time.cycle_windows, time.checkpoint_cycles) != plan.id + 1)
    return refused(plan, SurgeryRefusal::not_a_checkpoint,
                   "the coming boundary does not end the checkpoint window that it was made in");
  if (plan.id <= strategy.plan_approved)
    return refused(plan, SurgeryRefusal::already_done, "a plan of this checkpoint was approved");
  if (strategy.posture == Posture::crisis)
    return refused(plan, SurgeryRefusal::in_crisis, "the posture is crisis");
  if (std::string late = too_late(strategy, turn.reports); !late.empty())
    return refused(plan, SurgeryRefusal::too_late, std::move(late));
  if (std::string worse = unrecovered(strategy); !worse.empty())
    return refused(plan, SurgeryRefusal::not_recovered, std::move(worse));
  const auto embargoed = [&](RegionId region) { return strategy.zones.embargoed(region); };
  if (std::string inside = closed_region(strategy, plan, embargoed); !inside.empty())
    return refused(plan, SurgeryRefusal::inside_zone, std::move(inside));
  const auto frozen = [&](RegionId region) {
    return strategy.overrides.held(OverrideKind::freeze, region) != nullptr;
  };
  if (std::string held = closed_region(strategy, plan, frozen); !held.empty())
    return refused(plan, SurgeryRefusal::frozen, std::move(held));
  if (plan.zone_version != strategy.zones.state().version)
    return refused(plan, SurgeryRefusal::zone_changed,
                   "made for zones " + std::to_string(plan.zone_version) + ", now " +
                       std::to_string(strategy.zones.state().version));
  if (strategy.structure_version != plan.structure_version)
    return refused(plan, SurgeryRefusal::stale_structure,
                   "made for structure " + std::to_string(plan.structure_version));
  const Energy price = plan.price.energy, funds = plan_funds(strategy);
  if (price > funds || price < Energy{strategy.settings.budget.price_min} || price < Energy{1})
    return refused(
        plan, SurgeryRefusal::over_allowance,
        "costs " + std::to_string(price.thousandths) + " of " + std::to_string(funds.thousandths));
  if ((plan.cuts.empty() && plan.layers.empty()) || names_a_group_twice(plan) ||
      !after_cuts(strategy.host, plan.cuts, plan.layers))
    return refused(plan, SurgeryRefusal::uncoupled,
                   "its cuts do not follow the host's coupled groups and layers");
  for (const std::string& name : plan.layers)
    if (needed(strategy, name))
      return refused(plan, SurgeryRefusal::harmful, name + " has been put back once");
  if (std::string deep = too_deep_cut(strategy, plan); !deep.empty())
    return refused(plan, SurgeryRefusal::too_deep, std::move(deep));
  return {plan.id, SurgeryRefusal::none, ""};
}

/// What was really cut. A host that cannot be followed is not known any more, and never cut again:
/// without tensors every plan is uncoupled.
void follow_cuts(Strategy& strategy, const SurgeryOutcome& outcome) {
  if (outcome.plan <= strategy.plan_followed) return;
  strategy.plan_followed = outcome.plan;
  strategy.structure_version = outcome.structure_version;
  const auto host = after_cuts(strategy.host, outcome.cuts, outcome.layers);
  if (host)
    strategy.host = host.value();
  else
    strategy.host.tensors.clear();
}

/// A layer that had to be put back is not tried again in this run: what it does for the host is
/// known better now than by any first-order estimate.
void remember_needed(Strategy& strategy, const SurgeryOutcome& outcome) {
  if (outcome.refusal != SurgeryRefusal::harmful) return;
  for (const OrderedSurgery& order : strategy.ordered) {
    if (order.plan != outcome.plan) continue;
    for (const std::string& layer : order.layers)
      if (!needed(strategy, layer)) strategy.layers_needed.push_back(layer);
  }
}

}  // namespace

void follow_surgeries(Strategy& strategy, const TurnReports& turn,
                      std::vector<std::string>& refusals) {
  Ledger& ledger = strategy.ledger;
  const auto close = [&](std::uint64_t plan, bool spent) {
    std::erase_if(strategy.ordered, [&](const auto& one) { return one.plan == plan; });
    const auto answer = spent ? ledger.settle_compaction(plan) : ledger.void_compaction(plan);
    if (!answer)
      refusals.push_back("plan " + std::to_string(plan) + ": " +
                         std::string{name_of(answer.refusal())});
  };
  for (const SurgeryOutcome& outcome : turn.surgeries) {
    const bool kept = outcome.refusal == SurgeryRefusal::none;
    if (kept) follow_cuts(strategy, outcome);
    remember_needed(strategy, outcome);
    close(outcome.plan, kept);
  }
  const auto ordered = strategy.ordered;
  for (const OrderedSurgery& order : ordered)
    if (turn.window > order.boundary + cycle_windows(strategy)) close(order.plan, false);
  if (turn.checkpoint) {
    strategy.gate_loss = turn.checkpoint->gate_loss;
    strategy.gate_loss_best = std::min(strategy.gate_loss_best, strategy.gate_loss);
    // Of a surgery at this very boundary the outcome tells the newer structure.
    const bool cut_now =
        std::any_of(turn.surgeries.begin(), turn.surgeries.end(),
                    [](const SurgeryOutcome& one) { return one.refusal == SurgeryRefusal::none; });
    const std::uint64_t told = turn.checkpoint->structure_version;
    strategy.structure_version =
        cut_now ? std::max(told, strategy.structure_version.value_or(0)) : told;
  }
}

Energy plan_funds(const Strategy& strategy) {
  const StrategySettings& settings = strategy.settings;
  const Energy account = strategy.ledger.compaction();
  const Energy cap = pruning_cap(settings.budget, settings.regions, strategy.posture,
                                 !strategy.zones.state().zones.empty());
  const Energy used = strategy.allowance - account;  // of this cycle's
  return std::clamp(cap - used, Energy{}, account);
}

void judge_plan(Strategy& strategy, const TurnReports& turn, Epoch epoch, StrategyPart& part) {
  if (!turn.plan) return;
  part.plan = judge(strategy, turn);
  if (part.plan->refusal != SurgeryRefusal::none) return;
  must(strategy.ledger.commit_compaction(turn.plan->id, turn.plan->price.energy));
  strategy.plan_approved = turn.plan->id;
  part.surgery = SurgeryOrder{*turn.plan, epoch, turn.window + 1};
  strategy.ordered.push_back({turn.plan->id, part.surgery->boundary, turn.plan->layers});
}

}  // namespace esper::strategy
