#pragma once
// The parts of strategy, one concern each. Only strategy*.cpp include this.
#include "actors/decisions/strategy.hpp"

namespace esper::strategy {

/// Only a bug can make the ledger refuse what the strategist computed from its own balances.
void must(const Ledger::Answer& answer);
[[nodiscard]] std::uint32_t cycle_windows(const Strategy& strategy);

// strategy_accounts.cpp: the book, cycles and leases.

/// Repeats what the regions' books did, in region order. Top-ups and expiries are the ledger's own
/// to decide: the first are set aside for an answer, the second are no region's to move.
void follow(Strategy& strategy, Window window, const std::vector<RegionReport>& reports,
            std::vector<std::string>& refused);
/// Of the cycle under way and the two before it.
[[nodiscard]] std::uint64_t recent_regressions(const Strategy& strategy);
void reset(std::vector<RegionResults>& results);
/// Closes the cycle that ends and mints `cycle`, with its pruning allowance.
void mint_cycle(Strategy& strategy, Cycle cycle, StrategyPart& part);
/// A lease for everyone present, of what the policy grants; opportunity_share of the treasury
/// stays for proposals.
void deal_leases(Strategy& strategy, const std::vector<RegionReport>& reports, Cycle cycle,
                 std::vector<Answers>& answers);
/// A region that was away when leases were dealt gets authority back, without energy.
void renew_authority(Strategy& strategy, const std::vector<RegionReport>& reports,
                     std::vector<Answers>& answers);
void answer_top_ups(Strategy& strategy, Window window, std::vector<Answers>& answers,
                    std::vector<std::string>& refused);

// strategy_scaffolds.cpp: escrows, zones, thrash breakers, counsel.

/// What stands in escrow unused for too long is the pool's again, and its region is told.
void reclaim_escrows(Strategy& strategy, Window window, std::vector<Answers>& answers);
/// Zones and breakers learn what a turn says, absent strategist or not.
void watch_zones(Strategy& strategy, const TurnReports& turn);
/// One verdict per request. Of turns that it took no part in: never a grant, since what the region
/// showed then is past; it asks again if it must.
void answer_scaffolds(Strategy& strategy, const TurnReports& turn, std::vector<Answers>& answers);
/// One counsel per region that escalated, of missed turns too. Never what it has tried.
void answer_escalations(Strategy& strategy, const TurnReports& turn, std::vector<Answers>& answers);

// strategy_compaction.cpp: pruning plans and what became of them.

/// Outcomes settle or void what was set aside and change the host that is known; what no outcome
/// came for within a cycle of its boundary is void.
void follow_surgeries(Strategy& strategy, const TurnReports& turn,
                      std::vector<std::string>& refused);
/// What plans may still cost: the account, while posture and zones allow it.
[[nodiscard]] Energy plan_funds(const Strategy& strategy);
/// The turn's plan, if there is one: a verdict, and an order if it is approved.
void judge_plan(Strategy& strategy, const TurnReports& turn, Epoch epoch, StrategyPart& part);

}  // namespace esper::strategy
