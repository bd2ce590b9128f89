// Tamiyo's book-keeping: what regions moved is repeated, cycles are minted, leases dealt.
#include "actors/decisions/mint.hpp"
#include "actors/decisions/planted.hpp"
#include "actors/decisions/strategy_parts.hpp"
#include "actors/decisions/throttle.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace esper::strategy {
namespace {

constexpr std::size_t regression_cycles_kept = 2;  // and the one under way: three

std::string describe(const Movement& movement, LedgerRefusal refusal) {
  return "region " + std::to_string(movement.region.value) + ": " +
         std::string{name_of(movement.kind)} + " of reservation " +
         std::to_string(movement.reservation) + ": " + std::string{name_of(refusal)};
}

/// The allocator learns from the cycle that ends, and the counts begin anew.
void close_results(Strategy& strategy) {
  for (RegionResults& results : strategy.results) {
    const double predicted = strategy.predicted[results.region.value];
    const double realised = strategy.realised[results.region.value];
    results.calibration = predicted > 0 ? clip(realised / predicted, 0, 2) : 1;
  }
  learn(strategy.allocator, strategy.results);
  reset(strategy.results);
  std::fill(strategy.predicted.begin(), strategy.predicted.end(), 0);
  std::fill(strategy.realised.begin(), strategy.realised.end(), 0);
  strategy.regressions.push_back(std::exchange(strategy.regressions_this_cycle, 0));
  if (strategy.regressions.size() > regression_cycles_kept)
    strategy.regressions.erase(strategy.regressions.begin());
}

Energy forecast(const Strategy& strategy) {
  Energy sum;
  for (const Energy region : strategy.forecasts) sum += region;
  return sum;
}

/// The pruning allowance of the cycle that is minted, from the one that ends.
PruningAllowance allow_pruning(Strategy& strategy, Cycle cycle) {
  const StrategySettings& settings = strategy.settings;
  BudgetConfig budget = settings.budget;
  if (planted(Planted::throttle_rate)) budget.throttle /= 2;
  if (planted(Planted::throttle_sign)) budget.throttle = -budget.throttle;
  PruningAllowance allowance =
      next_allowance(strategy.throttle,
                     {cycle, std::exchange(strategy.spent_this_cycle, {}), forecast(strategy),
                      strategy.posture, !strategy.zones.state().zones.empty(), settings.regions},
                     budget);
  if (!settings.compaction.enabled) allowance.allowance = {};
  return allowance;
}

/// Mean of what was reported since the last mint. Of a cycle without a report nothing is known: it
/// counts for the share that is configured.
double close_volatility(Strategy& strategy) {
  constexpr double unknown = 0.25;
  const double sum = std::exchange(strategy.volatility_sum, 0);
  const auto count = std::exchange(strategy.volatility_reports, 0);
  return count > 0 ? sum / static_cast<double>(count) : unknown;
}

/// What a person pinned comes first, as far as it goes; the policy deals the rest to the others.
std::vector<Energy> grants_of(Strategy& strategy, const std::vector<RegionState>& states,
                              Energy capacity, Cycle cycle) {
  std::vector<Energy> grants(states.size());
  std::vector<RegionState> others;
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < states.size(); ++place) {
    if (const Override* pinned =
            strategy.overrides.held(OverrideKind::grant, states[place].region)) {
      grants[place] = std::min(sane(pinned->energy), capacity);
      capacity -= grants[place];
    } else {
      others.push_back(states[place]);
      places.push_back(place);
    }
  }
  const std::vector<Energy> dealt =
      deal(strategy.allocator, others, capacity, {cycle, strategy.posture});
  for (std::size_t i = 0; i < places.size(); ++i) grants[places[i]] = dealt[i];
  return grants;
}

RegionState state_of(const RegionReport& report) {
  return {report.region,     sane(report.asked), sane(report.refused),
          report.volatility, report.confidence,  report.expected_gain};
}

}  // namespace

void must(const Ledger::Answer& answer) {
  if (!answer)
    throw InvariantViolation("the ledger refused the strategist: " +
                             std::string{name_of(answer.refusal())});
}

std::uint32_t cycle_windows(const Strategy& strategy) {
  return std::max<std::uint32_t>(strategy.settings.time.cycle_windows, 1);
}

void follow(Strategy& strategy, Window window, const std::vector<RegionReport>& reports,
            std::vector<std::string>& refused) {
  Ledger& ledger = strategy.ledger;
  const Energy spent = ledger.balance().spent;
  ledger.lapse_leases(window);
  for (const RegionReport& report : reports) {
    for (Movement movement : report.movements) {
      movement.region = report.region;  // nobody moves another's energy
      Ledger::Answer answer{Done{}};
      switch (movement.kind) {
        case MovementKind::reserve:
          answer = ledger.reserve(movement.region, movement.reservation, movement.command,
                                  movement.energy, window);
          break;
        case MovementKind::settle:
          answer = ledger.settle(movement.region, movement.reservation, movement.energy, window);
          break;
        case MovementKind::release:
          answer = ledger.release(movement.region, movement.reservation);
          break;
        case MovementKind::top_up:
          if (movement.energy > Energy{})
            strategy.top_ups_unanswered.push_back(movement);
          else  // asks for time alone: nothing to weigh, nothing to answer
            answer =
                ledger.top_up(movement.region, movement.reservation, movement.command, {}, window);
          break;
        case MovementKind::draw:
          answer = ledger.draw(movement.region, movement.command, movement.energy, window);
          break;
        case MovementKind::give_back:
          answer = ledger.give_back(movement.region);
          break;
        case MovementKind::expire:
          answer = LedgerRefusal::not_open;
          break;
      }
      if (!answer) refused.push_back(describe(movement, answer.refusal()));
    }
  }
  strategy.spent_this_cycle += ledger.balance().spent - spent;
}

std::uint64_t recent_regressions(const Strategy& strategy) {
  std::uint64_t sum = strategy.regressions_this_cycle;
  for (const std::uint64_t closed : strategy.regressions) sum += closed;
  return sum;
}

void reset(std::vector<RegionResults>& results) {
  for (std::uint32_t region = 0; region < results.size(); ++region) {
    results[region] = RegionResults{};
    results[region].region = {region};
  }
}

void mint_cycle(Strategy& strategy, Cycle cycle, StrategyPart& part) {
  const StrategySettings& settings = strategy.settings;
  const BudgetConfig& budget = settings.budget;
  const double volatility = close_volatility(strategy);
  part.pruning = allow_pruning(strategy, cycle);
  part.mint = mint_of(
      cycle, {strategy.posture, recent_regressions(strategy), volatility, part.pruning->allowance},
      budget, settings.regions);
  if (strategy.minted.value > 0) close_results(strategy);
  strategy.ledger.close_cycle(
      kept_max(budget, settings.regions, emergency_share(budget, volatility),
               budget.emergency_cycles_max),
      kept_max(budget, settings.regions, budget.safety_share, budget.emergency_cycles_max));
  must(strategy.ledger.mint(*part.mint));
  strategy.allowance = part.pruning->allowance;
  strategy.minted = cycle;
}

void deal_leases(Strategy& strategy, const std::vector<RegionReport>& reports, Cycle cycle,
                 std::vector<Answers>& answers) {
  std::vector<RegionState> states;
  for (const RegionReport& report : reports)
    if (report.region.value < strategy.settings.regions) states.push_back(state_of(report));
  const Energy treasury = strategy.ledger.treasury();
  const Energy capacity = treasury - share_of(treasury, strategy.settings.budget.opportunity_share);
  const std::vector<Energy> grants = grants_of(strategy, states, capacity, cycle);
  const Window until = last_window(cycle, cycle_windows(strategy)) + 1;
  for (std::size_t place = 0; place < states.size(); ++place) {
    const RegionId region = states[place].region;
    must(strategy.ledger.grant(region, grants[place], until));
    answers[region.value].allocation = Allocation{region, cycle, grants[place], until};
  }
}

void renew_authority(Strategy& strategy, const std::vector<RegionReport>& reports,
                     std::vector<Answers>& answers) {
  const Window until = last_window(strategy.minted, cycle_windows(strategy)) + 1;
  for (const RegionReport& report : reports) {
    if (report.region.value >= strategy.settings.regions ||
        strategy.ledger.lease(report.region).until >= until)
      continue;
    must(strategy.ledger.grant(report.region, {}, until));
    answers[report.region.value].allocation = Allocation{report.region, strategy.minted, {}, until};
  }
}

void answer_top_ups(Strategy& strategy, Window window, std::vector<Answers>& answers,
                    std::vector<std::string>& refused) {
  for (const Movement& asked : std::exchange(strategy.top_ups_unanswered, {})) {
    const auto answer = strategy.ledger.top_up(asked.region, asked.reservation, asked.command,
                                               asked.energy, window);
    if (!answer) refused.push_back(describe(asked, answer.refusal()));
    if (asked.region.value < answers.size())
      answers[asked.region.value].top_ups.push_back(
          {asked.region, asked.reservation, answer ? asked.energy : Energy{}});
  }
}

}  // namespace esper::strategy
