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
#include <vector>

#include "actors/decisions/allocation.hpp"
#include "actors/decisions/cycles.hpp"
#include "actors/decisions/ledger.hpp"
#include "actors/decisions/opportunity_ranking.hpp"
#include "actors/decisions/posture.hpp"
#include "messages/configuration.hpp"
#include "messages/turn.hpp"

namespace esper {

struct StrategySettings {
  BudgetConfig budget;
  AllocationConfig allocation;
  TimeConfig time;
  GateConfig gates;
  std::uint32_t regions{};
};

struct Strategy {
  explicit Strategy(const StrategySettings& chosen);

  StrategySettings settings;
  Ledger ledger;
  Allocator allocator;
  PostureHistory posture;
  std::vector<Reputation> reputations;      ///< by region
  std::vector<RegionResults> results;       ///< by region, of the cycle under way
  std::vector<double> realised, predicted;  ///< by region, nats, of the cycle under way
  std::vector<std::uint64_t> regressions;   ///< of the last two closed cycles, newest last
  std::uint64_t regressions_this_cycle{};
  Cycle minted;                                 ///< newest
  std::vector<OpportunityProposal> unanswered;  ///< of turns that it took no part in
  std::vector<Movement> top_ups_unanswered;     ///< likewise
  std::vector<std::string> refused_unreported;  ///< movements that the book refused in such turns
};

/// Decides one turn. Answers every region, every proposal (ANSWER-1) and every top-up; LEDGER-1 and
/// LEDGER-2 hold after it. A movement that the ledger refuses changes nothing and is told in
/// `refused`.
[[nodiscard]] StrategyPart decide(Strategy& strategy, const TurnReports& turn, Epoch epoch);

/// A turn that this role took no part in: the book follows the regions' movements, wins, losses and
/// returns are counted (no report tells them again), nothing is decided. Its proposals and top-ups
/// are answered in the next decide: proposals with `denied`, since the turn that they spoke of has
/// passed.
void miss(Strategy& strategy, const TurnReports& turn);

}  // namespace esper
