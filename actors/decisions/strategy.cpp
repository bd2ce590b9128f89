#include "actors/decisions/strategy.hpp"

#include "actors/decisions/mint.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace esper {
namespace {

constexpr std::size_t regression_cycles_kept = 2;  // and the one under way: three

std::uint32_t cycle_windows(const Strategy& strategy) {
  return std::max<std::uint32_t>(strategy.settings.time.cycle_windows, 1);
}

/// Only a bug can make the ledger refuse what this file computed from its own balances.
void must(const Ledger::Answer& answer) {
  if (!answer)
    throw InvariantViolation("the ledger refused the strategist: " +
                             std::string{name_of(answer.refusal())});
}

std::string describe(const Movement& movement, LedgerRefusal refusal) {
  return "region " + std::to_string(movement.region.value) + ": " +
         std::string{name_of(movement.kind)} + " of reservation " +
         std::to_string(movement.reservation) + ": " + std::string{name_of(refusal)};
}

/// Repeats what the regions' books did, in region order. Top-ups and expiries are the ledger's own
/// to decide: the first are set aside for an answer, the second are no region's to move.
void follow(Strategy& strategy, Window window, const std::vector<RegionReport>& reports,
            std::vector<std::string>& refused) {
  Ledger& ledger = strategy.ledger;
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
        case MovementKind::give_back:
        case MovementKind::expire:
          answer = LedgerRefusal::not_open;
          break;
      }
      if (!answer) refused.push_back(describe(movement, answer.refusal()));
    }
  }
}

/// What the reports say about earlier decisions.
void observe(Strategy& strategy, const std::vector<RegionReport>& reports) {
  for (const RegionReport& report : reports) {
    if (report.region.value >= strategy.settings.regions) continue;
    RegionResults& results = strategy.results[report.region.value];
    results.wins += report.wins;
    results.losses += report.losses;
    results.regressions += report.regressions;
    strategy.regressions_this_cycle += report.regressions;
    for (const RealisedReturn& realised : report.returns) {
      strategy.reputations[report.region.value].book(realised);
      if (!(realised.predicted_gain > 0) || !finite(realised.predicted_gain) ||
          !finite(realised.realised_gain))
        continue;
      strategy.predicted[report.region.value] += realised.predicted_gain;
      strategy.realised[report.region.value] += realised.realised_gain;
    }
  }
}

std::uint64_t recent_regressions(const Strategy& strategy) {
  std::uint64_t sum = strategy.regressions_this_cycle;
  for (const std::uint64_t closed : strategy.regressions) sum += closed;
  return sum;
}

std::optional<PostureChange> change_posture(Strategy& strategy,
                                            const std::vector<RegionReport>& reports) {
  const Posture before = strategy.posture.posture;
  PostureJudgement judged =
      judge_posture(strategy.posture, reports, headroom(recent_regressions(strategy)),
                    cycle_windows(strategy), strategy.settings.gates);
  if (judged.posture == before) return std::nullopt;
  return PostureChange{before, judged.posture, std::move(judged.reason)};
}

void reset(std::vector<RegionResults>& results) {
  for (std::uint32_t region = 0; region < results.size(); ++region) {
    results[region] = RegionResults{};
    results[region].region = {region};
  }
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

Mint mint_cycle(Strategy& strategy, Cycle cycle) {
  const StrategySettings& settings = strategy.settings;
  const BudgetConfig& budget = settings.budget;
  const Mint mint = mint_of(cycle, strategy.posture.posture, recent_regressions(strategy), budget,
                            settings.regions);
  if (strategy.minted.value > 0) close_results(strategy);
  strategy.ledger.close_cycle(
      kept_max(budget, settings.regions, budget.emergency_share, budget.emergency_cycles_max),
      kept_max(budget, settings.regions, budget.safety_share, budget.emergency_cycles_max));
  must(strategy.ledger.mint(mint));
  strategy.minted = cycle;
  return mint;
}

RegionState state_of(const RegionReport& report) {
  return {report.region,     sane(report.asked), sane(report.refused),
          report.volatility, report.confidence,  report.expected_gain};
}

/// A lease for everyone present, of what the policy grants; opportunity_share of the treasury
/// stays for proposals.
void deal_leases(Strategy& strategy, const std::vector<RegionReport>& reports, Cycle cycle,
                 std::vector<Answers>& answers) {
  std::vector<RegionState> states;
  for (const RegionReport& report : reports)
    if (report.region.value < strategy.settings.regions) states.push_back(state_of(report));
  const Energy treasury = strategy.ledger.treasury();
  const Energy capacity = treasury - share_of(treasury, strategy.settings.budget.opportunity_share);
  const std::vector<Energy> grants =
      deal(strategy.allocator, states, capacity, {cycle, strategy.posture.posture});
  const Window until = last_window(cycle, cycle_windows(strategy)) + 1;
  for (std::size_t place = 0; place < states.size(); ++place) {
    const RegionId region = states[place].region;
    must(strategy.ledger.grant(region, grants[place], until));
    answers[region.value].allocation = Allocation{region, cycle, grants[place], until};
  }
}

/// A region that was away when leases were dealt gets authority back, without energy.
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

const RegionReport* find(const std::vector<RegionReport>& reports, RegionId region) {
  const auto found = std::find_if(reports.begin(), reports.end(), [&](const RegionReport& report) {
    return report.region == region;
  });
  return found == reports.end() ? nullptr : &*found;
}

/// An ask is what a seed costs beyond what the region held when it asked. Where this turn replaced
/// the lease, what is missing is counted from the new one.
OpportunityCandidate candidate_of(const Strategy& strategy, const OpportunityProposal& proposal,
                                  const std::vector<RegionReport>& reports,
                                  const std::vector<Answers>& answers) {
  OpportunityCandidate candidate;
  candidate.proposal = proposal;
  Mitigations& mitigations = candidate.proposal.mitigations;
  if (mitigations.alpha_stages.empty())
    mitigations.alpha_stages = strategy.settings.gates.alpha_stages;
  if (!(mitigations.clip_norm > 0) || !finite(mitigations.clip_norm))
    mitigations.clip_norm = strategy.settings.gates.clip_norm;
  const RegionReport* report = find(reports, proposal.region);
  if (report == nullptr || proposal.region.value >= strategy.settings.regions) return candidate;
  candidate.reported = true;
  candidate.in_crisis = report->in_crisis;
  candidate.need = sane(proposal.ask);
  if (const auto& renewed = answers[proposal.region.value].allocation)
    candidate.need = sane(proposal.ask) + sane(report->held) - renewed->energy;
  candidate.reputation = strategy.reputations[proposal.region.value].value();
  candidate.lease_until = strategy.ledger.lease(proposal.region).until;
  return candidate;
}

void answer_proposals(Strategy& strategy, Window window, const std::vector<RegionReport>& reports,
                      const std::vector<OpportunityProposal>& proposals,
                      std::vector<Answers>& answers) {
  for (const OpportunityProposal& missed : std::exchange(strategy.unanswered, {})) {
    Verdict verdict;
    verdict.region = missed.region;
    verdict.proposal = missed.id;
    verdict.kind = VerdictKind::denied;
    verdict.reason = "no strategist in that turn";
    if (missed.region.value < answers.size())
      answers[missed.region.value].verdicts.push_back(std::move(verdict));
  }
  std::vector<OpportunityCandidate> candidates;
  for (const OpportunityProposal& proposal : proposals)
    if (proposal.region.value < answers.size())
      candidates.push_back(candidate_of(strategy, proposal, reports, answers));
  const std::uint32_t windows = cycle_windows(strategy);
  const Window mint_turn = last_window(cycle_of(window + 1, windows), windows);
  OpportunityFunds funds{strategy.ledger.treasury(), {}};
  if (strategy.posture.posture == Posture::crisis)  // drawn window by window, never all at once
    funds.emergency = {strategy.ledger.emergency().thousandths / windows};
  for (FundedVerdict& judged :
       judge_opportunities(candidates, funds, {window, mint_turn, strategy.posture.posture})) {
    const Verdict& verdict = judged.verdict;
    if (verdict.kind == VerdictKind::approved)
      must(judged.from_emergency
               ? strategy.ledger.grant_emergency(verdict.region, verdict.amount)
               : strategy.ledger.grant_opportunity(verdict.region, verdict.amount));
    answers[verdict.region.value].verdicts.push_back(std::move(judged.verdict));
  }
}

}  // namespace

Strategy::Strategy(const StrategySettings& chosen)
    : settings(chosen),
      ledger(chosen.regions),
      allocator(make_allocator(chosen.allocation, chosen.regions)),
      reputations(chosen.regions),
      results(chosen.regions),
      realised(chosen.regions),
      predicted(chosen.regions) {
  reset(results);
}

StrategyPart decide(Strategy& strategy, const TurnReports& turn, Epoch epoch) {
  const Window window = turn.window;
  const std::vector<RegionReport>& reports = turn.reports;
  StrategyPart part;
  part.window = window;
  part.epoch = epoch;
  part.answers.resize(strategy.settings.regions);
  for (std::uint32_t region = 0; region < strategy.settings.regions; ++region)
    part.answers[region].region = {region};
  part.refused = std::exchange(strategy.refused_unreported, {});

  follow(strategy, window, reports, part.refused);
  answer_top_ups(strategy, window, part.answers, part.refused);
  for (const auto& [region, reservation] :
       strategy.ledger.expire(window, strategy.settings.budget.reservation_windows))
    part.answers[region.value].expired.push_back(reservation);

  observe(strategy, reports);
  part.posture = change_posture(strategy, reports);
  const Cycle coming = cycle_of(window + 1, cycle_windows(strategy));
  if (coming > strategy.minted) {
    part.mint = mint_cycle(strategy, coming);
    deal_leases(strategy, reports, coming, part.answers);
  } else {
    renew_authority(strategy, reports, part.answers);
  }
  answer_proposals(strategy, window, reports, turn.proposals, part.answers);
  part.risk_price = risk_price(strategy.allocator);
  part.balance = strategy.ledger.balance();
  return part;
}

void miss(Strategy& strategy, const TurnReports& turn) {
  follow(strategy, turn.window, turn.reports, strategy.refused_unreported);
  observe(strategy, turn.reports);
  strategy.unanswered.insert(strategy.unanswered.end(), turn.proposals.begin(),
                             turn.proposals.end());
}

}  // namespace esper
