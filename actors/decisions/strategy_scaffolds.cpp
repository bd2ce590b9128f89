// Temporary capacity as Tamiyo sees it: who gets emergency energy, where nothing may be cut, and
// what a region at its wits' end does instead.
#include "actors/decisions/of_region.hpp"
#include "actors/decisions/strategy_parts.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace esper::strategy {
namespace {

/// Does the region's thrash breaker hold scaffolds back? A look alone: no probe is spent.
bool thrashing(const Strategy& strategy, RegionId region, Window window) {
  const Breaker& breaker = strategy.thrash[region.value];
  return breaker.state() == BreakerState::open && window.value < breaker.open_until();
}

/// Energy of a scaffold that is to come, stands, or left without giving the rest back yet.
bool in_escrow(const Strategy& strategy, RegionId region) {
  return strategy.ledger.escrow(region).value_or(Escrow{}).free > Energy{};
}

/// The verdict alone; nothing is moved.
ScaffoldVerdict judge(const Strategy& strategy, const ScaffoldRequest& request,
                      const TurnReports& turn) {
  const RegionId region = request.region;
  const Window window = turn.window;
  // Nothing that stands costs less than the cheapest adaptation.
  const Energy price =
      std::max({sane(request.ask), Energy{strategy.settings.budget.price_min}, Energy{1}});
  ScaffoldVerdict verdict{region, request.blueprint, request.slot, {}, {}, window + 1};
  const RegionReport* report = of_region(turn.reports, region);
  if (report == nullptr || !report->in_crisis) {
    verdict.answer = ScaffoldAnswer::no_crisis;
  } else if (report->scaffolds > 0 || strategy.zones.has_scaffold(region) ||
             in_escrow(strategy, region)) {
    verdict.answer = ScaffoldAnswer::standing;
  } else if (thrashing(strategy, region, window)) {
    verdict.answer = ScaffoldAnswer::thrashing;
    verdict.until = {strategy.thrash[region.value].open_until()};
  } else if (price > strategy.ledger.emergency()) {
    verdict.answer = ScaffoldAnswer::pool_empty;
    const std::uint32_t windows = cycle_windows(strategy);
    verdict.until = last_window(cycle_of(window + 1, windows), windows);  // the next mint
  } else {
    verdict.answer = ScaffoldAnswer::granted;
    verdict.amount = price;
    verdict.until = window + cycle_windows(strategy) + 2;
  }
  return verdict;
}

void grant(Strategy& strategy, const ScaffoldVerdict& verdict, Window window) {
  must(strategy.ledger.grant_scaffold(verdict.region, verdict.amount, verdict.until, window));
  strategy.zones.open(verdict.region, window);
  // Each scaffold counts against its region until a clean checkpoint says that one has helped.
  Breaker& breaker = strategy.thrash[verdict.region.value];
  if (!breaker.pass(window.value)) throw InvariantViolation("a scaffold past its breaker");
  breaker.failed(window.value, verdict.blueprint + " without a clean checkpoint since");
}

Counsel advise(const Strategy& strategy, const Escalation& escalation, Window window) {
  Counsel counsel;
  counsel.region = escalation.region;
  const auto untried = std::find_if(
      escalation.left.begin(), escalation.left.end(), [&](const std::string& blueprint) {
        return std::find(escalation.tried.begin(), escalation.tried.end(), blueprint) ==
               escalation.tried.end();
      });
  const bool held_back = thrashing(strategy, escalation.region, window);
  if (untried != escalation.left.end() && !held_back) {
    counsel.tactic = Tactic::another_scaffold;
    counsel.blueprint = *untried;
    counsel.reason = "not tried in this trouble";
    return counsel;
  }
  counsel.tactic = Tactic::rest;
  counsel.until = window + cycle_windows(strategy);
  counsel.reason =
      held_back ? "too many scaffolds without a clean checkpoint" : "every scaffold was tried";
  return counsel;
}

}  // namespace

void reclaim_escrows(Strategy& strategy, Window window, std::vector<Answers>& answers) {
  for (const RegionId region :
       strategy.ledger.reclaim(window, strategy.settings.budget.reservation_windows))
    answers[region.value].emergency_reclaimed = true;
}

void watch_zones(Strategy& strategy, const TurnReports& turn) {
  std::vector<RegionId> granted;
  for (std::uint32_t region = 0; region < strategy.settings.regions; ++region)
    if (in_escrow(strategy, {region})) granted.push_back({region});
  const auto cleaned = strategy.zones.observe(
      {turn.window, turn.reports, turn.checkpoint.has_value(), std::move(granted)});
  for (const RegionId region : cleaned) {
    Breaker& breaker = strategy.thrash[region.value];
    if (breaker.pass(turn.window.value)) breaker.succeeded();
  }
}

void answer_scaffolds(Strategy& strategy, const TurnReports& turn, std::vector<Answers>& answers) {
  for (const ScaffoldRequest& missed : std::exchange(strategy.scaffolds_unanswered, {})) {
    if (missed.region.value >= answers.size()) continue;
    ScaffoldVerdict verdict = judge(strategy, missed, turn);
    if (verdict.answer == ScaffoldAnswer::granted)
      verdict = {missed.region,  missed.blueprint, missed.slot, ScaffoldAnswer::no_crisis, {},
                 turn.window + 1};
    answers[missed.region.value].scaffolds.push_back(std::move(verdict));
  }
  for (const ScaffoldRequest& request : turn.scaffold_requests) {
    if (request.region.value >= answers.size()) continue;
    ScaffoldVerdict verdict = judge(strategy, request, turn);
    if (verdict.answer == ScaffoldAnswer::granted) grant(strategy, verdict, turn.window);
    answers[request.region.value].scaffolds.push_back(std::move(verdict));
  }
}

void answer_escalations(Strategy& strategy, const TurnReports& turn,
                        std::vector<Answers>& answers) {
  std::vector<Escalation> open = std::exchange(strategy.escalations_unanswered, {});
  open.insert(open.end(), turn.escalations.begin(), turn.escalations.end());
  for (const Escalation& escalation : open)  // a region's newest word counts
    if (escalation.region.value < answers.size())
      answers[escalation.region.value].counsel = advise(strategy, escalation, turn.window);
}

}  // namespace esper::strategy
