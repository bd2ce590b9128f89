// ZONE-1 over random histories: scaffolds come and go, checkpoints and plans, sound and unsound,
// restarts, absences, outcomes told, untold and told late. What may be cut is judged here anew,
// from the whole history and by other code than the strategist's.
#include "actors/decisions/strategy.hpp"

#include "actors/decisions/host_surgery.hpp"
#include "messages/json.hpp"
#include "tests/decisions/economy_turns.hpp"
#include "tests/long_tier.hpp"
#include "tests/property.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace esper {
namespace {

constexpr std::uint32_t regions = 3;
constexpr double recovery_loss_max = 0.5;

/// At least `low`, under `high`, each as likely in the first history as in the last.
template <typename Value>
Value within(Value low, Value high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Value>(low, high));
}

bool chance(int percent) { return within(0, 100) >= 100 - percent; }

/// One turn as it was told, to judge by and to replay.
struct Told {
  TurnReports turn;
  bool missed{};
  StrategyPart part;
};

/// What became of one plan that was approved.
struct Order {
  PruningPlan plan;
  Window boundary;
};

struct World {
  StrategySettings settings;
  std::vector<Told> history;
  std::vector<std::uint32_t> standing{0, 0, 0};  ///< scaffolds by region
  HostDescription host;                          ///< as the executor has it
  std::uint64_t structure_version{};
  std::optional<Order> order;
  std::map<RegionId, Window> last_scaffold;  ///< granted there, or told to stand
  std::uint64_t sequence{};
  double gate_loss{}, gate_loss_best{1};  ///< of the newest checkpoint, and of all
  bool waning{};                          ///< the learning rate, in the last turn
  int crises{};                           ///< per cent of the windows
};

std::uint32_t hops(const World& world, std::uint32_t from, std::uint32_t to) {
  constexpr std::uint32_t far = 1'000;
  std::vector<std::uint32_t> away(regions, far);
  away.at(from) = 0;
  for (std::uint32_t round = 0; round < regions; ++round)
    for (const RegionEdge& edge : world.settings.host.edges) {
      away.at(edge.to.value) = std::min(away.at(edge.to.value), away.at(edge.from.value) + 1);
      away.at(edge.from.value) = std::min(away.at(edge.from.value), away.at(edge.to.value) + 1);
    }
  return away.at(to);
}

/// Were all regions around `region` told of, calm and without a scaffold in each window after
/// `begin`, up to `end`?
bool whole_and_calm(const World& world, std::uint32_t region, Window begin, Window end) {
  for (std::uint64_t window = begin.value + 1; window <= end.value; ++window)
    for (std::uint32_t near = 0; near < regions; ++near) {
      if (hops(world, region, near) > world.settings.scaffolds.radius) continue;
      const auto& reports = world.history.at(window - 1).turn.reports;
      const auto report = std::find_if(reports.begin(), reports.end(),
                                       [&](const auto& one) { return one.region.value == near; });
      if (report == reports.end() || report->in_crisis || report->scaffolds > 0) return false;
    }
  return true;
}

/// May a plan of the last turn cut in this region? By the whole history.
bool safe(const World& world, std::uint32_t region) {
  for (const auto& [source, last] : world.last_scaffold) {
    if (hops(world, source.value, region) > world.settings.scaffolds.radius) continue;
    std::uint32_t clean = 0;
    Window begin{0};
    for (const Told& told : world.history) {
      if (!told.turn.checkpoint) continue;
      if (begin >= last && whole_and_calm(world, source.value, begin, told.turn.window)) ++clean;
      begin = told.turn.window;
    }
    if (clean < world.settings.scaffolds.clean_checkpoints) return false;
  }
  return true;
}

/// What a cut in this group changes, by hand: each convolution feeds the next, the last the head.
std::vector<RegionId> reach(const std::string& group) {
  static const std::map<std::string, std::vector<RegionId>> known{
      {"conv0", {{0}}}, {"conv1", {{0}, {1}}}, {"conv2", {{1}, {2}}}, {"conv3", {{2}}}};
  const auto found = known.find(group);
  return found == known.end() ? std::vector<RegionId>{} : found->second;
}

World some_world() {
  World world;
  world.settings = economy_settings();
  world.settings.time.cycle_windows = within(1U, 4U);
  world.settings.time.checkpoint_cycles = within(1U, 3U);
  world.settings.scaffolds.radius = within(0U, 3U);
  world.settings.scaffolds.clean_checkpoints = within(1U, 3U);
  world.settings.scaffolds.thrash_scaffolds = within(1U, 6U);
  world.settings.scaffolds.thrash_windows = 6;
  world.settings.compaction.recovery_loss_max = recovery_loss_max;
  world.settings.compaction.operations_share_min = 0.4;
  if (chance(30)) world.settings.host.edges.push_back({{0}, {2}, true});
  world.host = world.settings.host;
  world.crises = *rc::gen::element(3, 8, 50);
  return world;
}

const std::vector<std::string> defects{"none",   "inside",   "zones", "structure", "over_allowance",
                                       "groups", "too_deep", "twice", "old_plan"};

/// A plan for what the last part told, or one with a defect planted. It may be bad for others'
/// reasons, too: what has changed since.
PruningPlan some_plan(const World& world, std::uint64_t checkpoint, std::string& defect) {
  static const std::vector<std::string> groups{"conv0", "conv1", "conv2", "conv3"};
  const StrategyPart& seen = world.history.back().part;
  defect = chance(50) ? "none" : *rc::gen::elementOf(defects);
  std::vector<std::string> open;
  for (const CoupledGroup& group : world.host.coupled_groups) {
    const auto touched = reach(group.name);
    const auto& inside = seen.zones.embargoed;
    const bool embargoed = std::find_first_of(touched.begin(), touched.end(), inside.begin(),
                                              inside.end()) != touched.end();
    if (embargoed == (defect == "inside")) open.push_back(group.name);
  }
  const std::string chosen = *rc::gen::elementOf(open.empty() ? groups : open);
  const auto width = [&](const std::string& name) {
    for (const CoupledGroup& group : world.host.coupled_groups)
      if (group.name == name) return group.channels;
    return 0U;
  };
  const std::uint32_t channels = width(chosen);
  PruningPlan plan = plan_to_cut(checkpoint, {cut_to(chosen, channels - channels / 4)});
  plan.zone_version = seen.zones.version;
  plan.structure_version = world.structure_version;
  plan.price.energy = {20};
  if (defect == "zones") plan.zone_version += 1 + within(0U, 2U);
  if (defect == "structure") plan.structure_version += 1;
  if (defect == "over_allowance") plan.price.energy = {100'000};
  if (defect == "groups") plan.cuts.push_back(cut_to("conv7", 4));
  if (defect == "too_deep") plan.cuts = {cut_to(chosen, std::max(channels / 2, 2U) - 1)};
  if (defect == "twice") plan.cuts.push_back(cut_to(chosen, channels / 2));
  if (defect == "old_plan") plan.id -= 1;
  return plan;
}

TurnReports some_turn(World& world, Window window, std::string& defect) {
  TurnReports turn = economy_turn(world.settings, window);
  const StrategyPart* seen = world.history.empty() ? nullptr : &world.history.back().part;
  for (std::uint32_t region = 0; region < regions; ++region) {
    RegionReport& report = turn.reports[region];
    report.in_crisis = chance(world.crises);
    std::uint32_t& standing = world.standing.at(region);
    if (standing > 0 && chance(40)) {
      standing = 0;
      report.movements.push_back({MovementKind::give_back, {region}, 0, {}, {}});
    } else if (standing > 0) {
      const CommandId command{{region}, first_epoch, ++world.sequence};
      report.movements.push_back({MovementKind::draw, {region}, 0, command, {3}});
    }
    const bool granted = seen != nullptr && !seen->answers.empty() &&
                         !seen->answers[region].scaffolds.empty() &&
                         seen->answers[region].scaffolds.front().answer == ScaffoldAnswer::granted;
    if ((granted && chance(80)) || chance(1)) standing = 1;
    report.scaffolds = standing;
    if (standing > 0) world.last_scaffold[{region}] = window;
    if (chance(report.in_crisis ? 70 : 3))
      turn.scaffold_requests.push_back(some_request(region, within(10, 40)));
  }
  for (std::size_t i = turn.reports.size(); i-- > 0;)
    if (chance(3) && turn.reports[i].scaffolds == 0)
      turn.reports.erase(turn.reports.begin() + static_cast<std::ptrdiff_t>(i));
  world.waning = !turn.reports.empty() && chance(3);
  if (world.waning) turn.reports.back().learning_rate_ratio = 0.1;

  if (world.order && window >= world.order->boundary && chance(60)) {
    SurgeryOutcome outcome;
    outcome.plan = world.order->plan.id;
    outcome.refusal = chance(70) ? SurgeryRefusal::none : SurgeryRefusal::harmful;
    if (outcome.refusal == SurgeryRefusal::none) {
      outcome.cuts = world.order->plan.cuts;
      world.host = after_cuts(world.host, outcome.cuts).value();
      outcome.structure_version = ++world.structure_version;
    }
    turn.surgeries.push_back(outcome);
    world.order.reset();
  }
  if (turn.checkpoint) {
    turn.checkpoint->structure_version = world.structure_version;
    turn.checkpoint->gate_loss = world.gate_loss = within(0, 6) / 5.0;
    world.gate_loss_best = std::min(world.gate_loss_best, world.gate_loss);
  }
  const std::uint64_t next = checkpoint_at(window + 1, world.settings.time.cycle_windows,
                                           world.settings.time.checkpoint_cycles);
  if (next > 1 && seen != nullptr && chance(90)) turn.plan = some_plan(world, next - 1, defect);
  return turn;
}

/// The first rule that the plan breaks, from what the part and the world tell.
std::string expected(const World& world, const Strategy& before, const StrategyPart& part,
                     const PruningPlan& plan, std::uint64_t checkpoint, Energy funds) {
  if (plan.id != checkpoint) return "not_a_checkpoint";
  if (before.posture == Posture::crisis) return "in_crisis";
  if (world.waning) return "too_late";
  if (world.gate_loss > world.gate_loss_best + recovery_loss_max) return "not_recovered";
  for (const GroupCut& cut : plan.cuts)
    for (const RegionId region : reach(cut.group))
      if (part.answers.at(region.value).embargoed) return "inside_zone";
  if (plan.zone_version != part.zones.version) return "zone_changed";
  if (plan.structure_version != world.structure_version) return "stale_structure";
  if (plan.price.energy > funds) return "over_allowance";
  if (plan.cuts.size() > 1) return "uncoupled";
  for (const CoupledGroup& group : world.host.coupled_groups)
    if (group.name == plan.cuts.front().group &&
        plan.cuts.front().kept.size() < (group.channels + 1) / 2)
      return "too_deep";
  const auto left = static_cast<double>(after_cuts(world.host, plan.cuts).value().operations);
  if (left < 0.4 * static_cast<double>(world.settings.host.operations)) return "too_deep";
  return "none";
}

SCENARIO("no approved order ever touches an embargoed region, and each refusal has its own reason",
         "[zones][compaction][ZONE-1]") {
  std::map<std::string, int> verdicts;
  std::set<std::string> granted;
  const int histories = cases(200, 20'000);
  CHECK(holds("scaffolds, sunsets, checkpoints, plans and restarts in any order", histories, [&] {
    World world = some_world();
    Strategy strategy{world.settings};
    const auto windows = within<std::uint64_t>(4, 40);
    for (Window window{1}; window.value <= windows; window = window + 1) {
      std::string defect;
      Told told;
      told.turn = some_turn(world, window, defect);
      told.missed = chance(5);
      if (told.missed) {
        miss(strategy, told.turn);
        if (!world.history.empty()) told.part = world.history.back().part;
        for (Answers& answers : told.part.answers) answers.scaffolds.clear();
        world.history.push_back(told);
        RC_ASSERT(strategy.ledger.conserves_energy());
        continue;
      }
      const StrategyPart part = told.part = decide(strategy, told.turn, first_epoch);
      world.history.push_back(told);
      RC_ASSERT(strategy.ledger.conserves_energy());
      for (const Answers& answers : part.answers)
        for (const ScaffoldVerdict& verdict : answers.scaffolds) {
          granted.insert(std::string{name_of(verdict.answer)});
          if (verdict.answer == ScaffoldAnswer::granted)
            world.last_scaffold[verdict.region] = window;
        }
      for (std::uint32_t region = 0; region < regions; ++region)
        RC_ASSERT(part.answers[region].embargoed || safe(world, region));
      if (!told.turn.plan) continue;
      const PruningPlan& plan = *told.turn.plan;
      const std::string verdict{name_of(part.plan.value().refusal)};
      const Energy funds = part.compaction + (part.surgery ? plan.price.energy : Energy{});
      const std::uint64_t checkpoint = checkpoint_at(window + 1, world.settings.time.cycle_windows,
                                                     world.settings.time.checkpoint_cycles) -
                                       1;
      RC_ASSERT(verdict == expected(world, strategy, part, plan, checkpoint, funds));
      RC_ASSERT(part.surgery.has_value() == (verdict == "none"));
      ++verdicts[verdict];
      if (!part.surgery) continue;
      RC_ASSERT(part.surgery->boundary == window + 1);
      for (const GroupCut& cut : part.surgery->plan.cuts)
        for (const RegionId region : reach(cut.group)) RC_ASSERT(safe(world, region.value));
      world.order = Order{plan, part.surgery->boundary};
    }
    // A restart anywhere is a fold of the recorded turns: it comes to the same mind.
    Strategy restarted{world.settings};
    for (const Told& told : world.history)
      if (told.missed)
        miss(restarted, told.turn);
      else
        RC_ASSERT((to_json(decide(restarted, told.turn, first_epoch), Floats::exact) ==
                   to_json(told.part, Floats::exact)));
  }));
  for (const char* reason :
       {"none", "in_crisis", "inside_zone", "zone_changed", "stale_structure", "over_allowance",
        "uncoupled", "too_deep", "not_a_checkpoint", "too_late", "not_recovered"}) {
    INFO(reason);
    CHECK(verdicts[reason] > 0);
  }
  for (const char* answer : {"granted", "no_crisis", "standing", "thrashing"}) {
    INFO(answer);
    CHECK(granted.contains(answer));
  }
}

}  // namespace
}  // namespace esper
