#pragma once
// Tamiyo's whole mind: treasury, posture, allocation and verdicts, from the regions' reports alone.
// A plain value: the same turns make the same Strategy and the same parts, live, restarted or
// replayed.
//
// Windows count from 1; a cycle has time.cycle_windows of them. The turn of a cycle's last window
// mints the next cycle's energy and deals its leases, since what is answered in turn w is input to
// the regions' turn w + 1. A lease ends one window after its cycle: the answer that renews it comes
// in the turn of the cycle's last window and binds from the next, so authority has no gap. The
// first turn mints the cycle of window 2; a strategist that was away at a cycle's end mints in the
// first turn that it is back.
#include <limits>
#include <vector>

#include "actors/decisions/allocation.hpp"
#include "actors/decisions/breaker.hpp"
#include "actors/decisions/cycles.hpp"
#include "actors/decisions/ledger.hpp"
#include "actors/decisions/opportunity_ranking.hpp"
#include "actors/decisions/overrides.hpp"
#include "actors/decisions/posture.hpp"
#include "actors/decisions/throttle.hpp"
#include "actors/decisions/zones.hpp"
#include "messages/configuration.hpp"
#include "messages/turn.hpp"

namespace esper {

struct StrategySettings {
  BudgetConfig budget;
  AllocationConfig allocation;
  TimeConfig time;
  GateConfig gates;
  std::uint32_t regions{};
  ScaffoldConfig scaffolds{};
  CompactionConfig compaction{};
  HostDescription host{};  ///< before any surgery; without one no plan is approved
};

/// What a run's config says to Tamiyo. `host`: as launched.
[[nodiscard]] inline StrategySettings strategy_settings(const RunConfig& config,
                                                        const HostDescription& host) {
  return {.budget = config.budget,
          .allocation = config.allocation,
          .time = config.time,
          .gates = config.gates,
          .regions = static_cast<std::uint32_t>(host.regions.size()),
          .scaffolds = config.scaffolds,
          .compaction = config.compaction,
          .host = host};
}

/// An approved plan whose outcome is not known.
struct OrderedSurgery {
  std::uint64_t plan{};
  Window boundary;
  std::vector<std::string> layers;  ///< that leave whole
};

struct Strategy {
  explicit Strategy(const StrategySettings& chosen);

  StrategySettings settings;
  Ledger ledger;
  Allocator allocator;
  PostureHistory judged;  ///< what the reports call for
  Posture posture{};      ///< that holds: a person may have pinned another
  Overrides overrides;
  std::vector<Reputation> reputations;      ///< by region
  std::vector<RegionResults> results;       ///< by region, of the cycle under way
  std::vector<double> realised, predicted;  ///< by region, nats, of the cycle under way
  std::vector<std::uint64_t> regressions;   ///< of the last two closed cycles, newest last
  std::uint64_t regressions_this_cycle{};
  Cycle minted;                                       ///< newest
  std::vector<OpportunityProposal> unanswered;        ///< of turns that it took no part in
  std::vector<Movement> top_ups_unanswered;           ///< likewise
  std::vector<ScaffoldRequest> scaffolds_unanswered;  ///< likewise
  std::vector<Escalation> escalations_unanswered;     ///< likewise
  std::vector<std::string> refused_unreported;  ///< movements that the book refused in such turns

  Zones zones;
  std::vector<Breaker> thrash;  ///< by region, in windows: scaffolds without a clean checkpoint

  ThrottleHistory throttle;
  Energy allowance;               ///< the newest that was minted
  Energy spent_this_cycle;        ///< by regions: settled and drawn
  std::vector<Energy> forecasts;  ///< by region, the newest told
  double volatility_sum{};        ///< of the cycle under way
  std::uint64_t volatility_reports{};

  HostDescription host;                                            ///< as surgeries have left it
  std::optional<std::uint64_t> structure_version;                  ///< the newest told
  double gate_loss{};                                              ///< the newest checkpoint's
  double gate_loss_best{std::numeric_limits<double>::infinity()};  ///< of all checkpoints
  std::uint64_t plan_approved{}, plan_followed{};                  ///< newest
  std::vector<OrderedSurgery> ordered;
  std::vector<std::string> layers_needed;  ///< whose removal was undone, as that came to be known
};

/// Decides one turn. Answers every region, every proposal, top-up, scaffold request, escalation and
/// plan (ANSWER-1); LEDGER-1 and LEDGER-2 hold after it. A movement that the ledger refuses changes
/// nothing and is told in `refused`. ZONE-1: no order touches a region that is embargoed at the
/// turn's end.
[[nodiscard]] StrategyPart decide(Strategy& strategy, const TurnReports& turn, Epoch epoch);

/// A turn that this role took no part in: book, zones, breakers and host follow what was told,
/// wins, losses and returns are counted (no report tells them again), nothing is decided. Its
/// requests are answered in the next decide: proposals and scaffolds are denied, since the turn
/// that they spoke of has passed; its plan is skipped.
void miss(Strategy& strategy, const TurnReports& turn);

}  // namespace esper
