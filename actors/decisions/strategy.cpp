#include "actors/decisions/strategy.hpp"

#include "actors/decisions/mint.hpp"
#include "actors/decisions/of_region.hpp"
#include "actors/decisions/planted.hpp"
#include "actors/decisions/strategy_parts.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace esper {
namespace {

/// What the reports say about earlier decisions.
void observe(Strategy& strategy, const std::vector<RegionReport>& reports) {
  for (const RegionReport& report : reports) {
    if (report.region.value >= strategy.settings.regions) continue;
    RegionResults& results = strategy.results[report.region.value];
    results.wins += report.wins;
    results.losses += report.losses;
    results.regressions += report.regressions;
    strategy.regressions_this_cycle += report.regressions;
    strategy.forecasts[report.region.value] = sane(report.forecast);
    strategy.volatility_sum += clip(report.volatility, 0, 1);
    ++strategy.volatility_reports;
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

std::optional<PostureChange> change_posture(Strategy& strategy,
                                            const std::vector<RegionReport>& reports) {
  PostureJudgement judged =
      judge_posture(strategy.judged, reports, headroom(strategy::recent_regressions(strategy)),
                    strategy::cycle_windows(strategy), strategy.settings.gates);
  if (const Override* pinned = strategy.overrides.held(OverrideKind::posture))
    judged = {pinned->posture, "pinned by " + pinned->who + ": " + pinned->why};
  const Posture before = std::exchange(strategy.posture, judged.posture);
  if (judged.posture == before) return std::nullopt;
  return PostureChange{before, judged.posture, std::move(judged.reason)};
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
  const RegionReport* report = of_region(reports, proposal.region);
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
  const std::vector<OpportunityProposal> before = strategy.unanswered;
  if (!planted(Planted::proposal_twice)) strategy.unanswered.clear();
  for (const OpportunityProposal& missed : before) {
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
  const std::uint32_t windows = strategy::cycle_windows(strategy);
  const Window mint_turn = last_window(cycle_of(window + 1, windows), windows);
  OpportunityFunds funds{strategy.ledger.treasury(), {}};
  if (strategy.posture == Posture::crisis)  // drawn window by window, never all at once
    funds.emergency = {strategy.ledger.emergency().thousandths / windows};
  for (FundedVerdict& judged :
       judge_opportunities(candidates, funds, {window, mint_turn, strategy.posture})) {
    const Verdict& verdict = judged.verdict;
    if (verdict.kind == VerdictKind::approved)
      strategy::must(judged.from_emergency
                         ? strategy.ledger.grant_emergency(verdict.region, verdict.amount)
                         : strategy.ledger.grant_opportunity(verdict.region, verdict.amount));
    answers[verdict.region.value].verdicts.push_back(std::move(judged.verdict));
  }
}

std::set<RegionId> absent_from(const Strategy& strategy, const std::vector<RegionReport>& reports) {
  std::set<RegionId> absent;
  for (std::uint32_t region = 0; region < strategy.settings.regions; ++region)
    absent.insert({region});
  for (const RegionReport& report : reports) absent.erase(report.region);
  return absent;
}

/// What a turn says, whether or not anything is decided from it.
void learn(Strategy& strategy, const TurnReports& turn, std::vector<std::string>& refused) {
  strategy.overrides.follow(turn.overrides, turn.window);
  strategy::follow_surgeries(strategy, turn, refused);
  observe(strategy, turn.reports);
  strategy::watch_zones(strategy, turn);
}

/// Opened again and again it holds scaffolds back up to sixteen times as long as at first.
BreakerPolicy thrash_policy(const ScaffoldConfig& config) {
  constexpr std::uint64_t longest = 16;
  const std::uint64_t first = std::max(config.thrash_windows, 1U);
  return {std::max(config.thrash_scaffolds, 1U), first, first * longest};
}

template <typename Message>
void append(std::vector<Message>& to, const std::vector<Message>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Strategy::Strategy(const StrategySettings& chosen)
    : settings(chosen),
      ledger(chosen.regions),
      allocator(make_allocator(chosen.allocation, chosen.regions)),
      reputations(chosen.regions),
      results(chosen.regions),
      realised(chosen.regions),
      predicted(chosen.regions),
      zones(chosen.host.edges, chosen.regions, chosen.scaffolds),
      thrash(chosen.regions, Breaker{"scaffold_thrash", thrash_policy(chosen.scaffolds)}),
      forecasts(chosen.regions),
      host(chosen.host) {
  strategy::reset(results);
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

  strategy::follow(strategy, window, reports, part.refused);
  strategy::answer_top_ups(strategy, window, part.answers, part.refused);
  for (const auto& [region, reservation] : strategy.ledger.expire(
           window, strategy.settings.budget.reservation_windows, absent_from(strategy, reports)))
    part.answers[region.value].expired.push_back(reservation);
  strategy::reclaim_escrows(strategy, window, part.answers);

  learn(strategy, turn, part.refused);
  part.posture = change_posture(strategy, reports);
  const Cycle coming = cycle_of(window + 1, strategy::cycle_windows(strategy));
  if (coming > strategy.minted) {
    strategy::mint_cycle(strategy, coming, part);
    strategy::deal_leases(strategy, reports, coming, part.answers);
  } else {
    strategy::renew_authority(strategy, reports, part.answers);
  }
  strategy::answer_scaffolds(strategy, turn, part.answers);  // before proposals: theirs is the pool
  strategy::answer_escalations(strategy, turn, part.answers);
  answer_proposals(strategy, window, reports, turn.proposals, part.answers);
  strategy::judge_plan(strategy, turn, epoch, part);

  for (Answers& answers : part.answers)
    answers.embargoed = strategy.zones.embargoed(answers.region);
  part.zones = strategy.zones.state();
  part.compaction = strategy::plan_funds(strategy);
  part.layers_needed = strategy.layers_needed;
  part.risk_price = risk_price(strategy.allocator);
  part.balance = strategy.ledger.balance();
  return part;
}

void miss(Strategy& strategy, const TurnReports& turn) {
  strategy::follow(strategy, turn.window, turn.reports, strategy.refused_unreported);
  learn(strategy, turn, strategy.refused_unreported);
  append(strategy.unanswered, turn.proposals);
  append(strategy.scaffolds_unanswered, turn.scaffold_requests);
  append(strategy.escalations_unanswered, turn.escalations);
}

}  // namespace esper
