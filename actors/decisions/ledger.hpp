#pragma once
// The energy economy's book. Narsets make movements from their leases; this repeats them.
#include <map>
#include <utility>
#include <vector>

#include "actors/decisions/amounts.hpp"
#include "messages/budget.hpp"
#include "messages/result.hpp"

namespace esper {

/// Each is followed by the sentence's end that people read: see ESPER_ENUM_NAMES below.
enum class LedgerRefusal : std::uint8_t {
  insufficient_energy,
  amount_out_of_range,
  unknown_region,
  foreign_command,
  already_minted,
  already_charged,
  reservation_reused,
  not_open,
  exceeds_reservation,
};
ESPER_ENUM_NAMES(LedgerRefusal, "the account holds less", "the amount is negative or absurd",
                 "no such region", "the command is another region's",
                 "this cycle or a later one was minted before",
                 "this command or a later one was charged before",
                 "this reservation's number was used before", "no such reservation is open",
                 "more was spent than was reserved");

/// What stands in escrow for one region. Energy moves only between here and the accounts.
struct Lease {
  Energy free;
  Window until;
};

/// One run's energy, kept by double entry in whole thousandths. A refusal changes nothing.
/// LEDGER-1: minted == available + reserved + spent + lapsed, after every call.
/// LEDGER-2: no account is ever negative; no reservation resolves twice; no command id is charged
/// twice (high-water marks of command ids and reservation numbers per region, not growing sets).
class Ledger {
 public:
  using Answer = Result<Done, LedgerRefusal>;

  explicit Ledger(std::uint32_t regions) : regions_(regions) {}

  /// Books a cycle's four amounts to their accounts; cycles rise, from 1.
  /// Errors: already_minted, amount_out_of_range.
  Answer mint(const Mint& mint);
  /// A cycle ends: treasury and compaction lapse, the emergency pool and the safety reserve lapse
  /// above what they may keep. The safety reserve carries over like the pool, because a seed
  /// germinated in one cycle is grafted, and its price's rise paid, in a later one. Leases lapse
  /// by themselves: see grant and lapse_leases.
  void close_cycle(Energy emergency_kept_max, Energy safety_kept_max);

  /// A new lease out of the treasury, until a window; 0 renews authority alone. What was free in
  /// the old one lapses. Errors: insufficient_energy, amount_out_of_range, unknown_region.
  Answer grant(RegionId region, Energy energy, Window until);
  /// Adds an approved proposal's energy to the lease, out of the treasury or, in crisis, out of
  /// the emergency pool. Errors: as grant.
  Answer grant_opportunity(RegionId region, Energy energy);
  Answer grant_emergency(RegionId region, Energy energy);
  /// Leases that ended before `now` lapse: their holders can no longer reserve from them.
  void lapse_leases(Window now);

  /// Sets energy aside from the region's lease. Numbers and commands must rise.
  /// Errors: insufficient_energy, amount_out_of_range, unknown_region, foreign_command,
  /// already_charged, reservation_reused.
  Answer reserve(RegionId region, std::uint64_t reservation, CommandId command, Energy energy,
                 Window now);
  /// Books the real cost, frees the rest into the lease; once per reservation. An outcome: what
  /// was reserved beside it, for the same seed, gets its full time again.
  /// Errors: not_open, exceeds_reservation, amount_out_of_range.
  Answer settle(RegionId region, std::uint64_t reservation, Energy spent, Window now);
  /// Voids a reservation, back into the lease. Errors: not_open.
  Answer release(RegionId region, std::uint64_t reservation);
  /// Enlarges an open reservation out of the safety reserve and gives it its full time again; of 0
  /// it gives time alone. Commands that ask for energy must rise.
  /// Errors: not_open, already_charged, insufficient_energy, amount_out_of_range.
  Answer top_up(RegionId region, std::uint64_t reservation, CommandId command, Energy energy,
                Window now);
  /// Voids every reservation last touched `windows` or more before `now`, back into the treasury,
  /// since its region forgets it. Returns them in order of region and number.
  [[nodiscard]] std::vector<std::pair<RegionId, std::uint64_t>> expire(Window now,
                                                                       std::uint32_t windows);

  [[nodiscard]] LedgerBalance balance() const;
  /// LEDGER-1 and the first part of LEDGER-2.
  [[nodiscard]] bool conserves_energy() const;

  [[nodiscard]] Energy treasury() const { return treasury_; }
  [[nodiscard]] Energy emergency() const { return emergency_; }
  [[nodiscard]] Energy safety() const { return safety_; }
  [[nodiscard]] Energy compaction() const { return compaction_; }
  /// Empty for an unknown region.
  [[nodiscard]] Lease lease(RegionId region) const;
  [[nodiscard]] std::size_t open_reservations() const { return reservations_.size(); }
  /// What an open reservation holds; nothing when it is not open.
  [[nodiscard]] std::optional<Energy> reserved(RegionId region, std::uint64_t reservation) const;

 private:
  struct Region {
    Lease lease;
    CommandId command_mark;            ///< highest charged to the lease
    CommandId top_up_mark;             ///< highest charged to the safety reserve
    std::uint64_t reservation_mark{};  ///< highest used
  };
  struct Reserved {
    Energy energy;
    Window made, touched;
  };
  using Key = std::pair<RegionId, std::uint64_t>;

  Answer grant_from(Energy& account, RegionId region, Energy energy);
  void lapse(Energy& account, Energy kept_max = {});

  std::vector<Region> regions_;
  std::map<Key, Reserved> reservations_;
  Energy treasury_, emergency_, safety_, compaction_;
  Energy minted_, spent_, lapsed_;
  Cycle minted_cycle_;  ///< newest
};

}  // namespace esper
