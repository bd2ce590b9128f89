#pragma once
// The energy economy's book. Narsets make movements from their leases; this repeats them.
#include <map>
#include <optional>
#include <set>
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
  escrow_open,
  no_escrow,
};
ESPER_ENUM_NAMES(LedgerRefusal, "the account holds less", "the amount is negative or absurd",
                 "no such region", "the command is another region's",
                 "this cycle or a later one was minted before",
                 "this command or a later one was charged before",
                 "this reservation's number was used before", "no such reservation is open",
                 "more was spent than was reserved", "emergency energy stands there already",
                 "no emergency energy stands there");

/// What stands in escrow for one region. Energy moves only between here and the accounts.
struct Lease {
  Energy free;
  Window until;
};

/// Emergency energy set aside for one region's scaffold, drawn window by window. Nobody's lease.
struct Escrow {
  Energy free;
  Window until;    ///< without a draw by then it was never used
  Window touched;  ///< granted or last drawn from
  bool drawn{};
};

/// One run's energy, kept by double entry in whole thousandths. A refusal changes nothing.
/// LEDGER-1: minted == available + reserved + spent + lapsed, after every call.
/// LEDGER-2: no account is ever negative; no reservation resolves twice; no command id is charged
/// twice (high-water marks of command ids and reservation numbers per region, of plans and of
/// cycles, not growing sets).
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
  /// Sets emergency energy aside for a region's scaffold, to be drawn from first by `until`. Free
  /// energy of escrows counts as available and outlives cycles; a reclaimed or returned one is the
  /// pool's again. Errors: as grant, escrow_open (one with something in it).
  Answer grant_scaffold(RegionId region, Energy energy, Window until, Window now);
  /// Spends from the escrow at once. Commands that draw must rise.
  /// Errors: unknown_region, foreign_command, amount_out_of_range, no_escrow, already_charged,
  /// insufficient_energy.
  Answer draw(RegionId region, CommandId command, Energy energy, Window now);
  /// What was not drawn returns to the pool. Errors: unknown_region, no_escrow.
  Answer give_back(RegionId region);
  /// Returns to the pool every escrow with something in it that was never drawn from by its time,
  /// or last touched `windows` or more before `now`. Their regions, ascending.
  [[nodiscard]] std::vector<RegionId> reclaim(Window now, std::uint32_t windows);
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
  /// since its region forgets it; but for those of `absent` regions, which may have resolved theirs
  /// and not said so yet. Returns them in order of region and number.
  [[nodiscard]] std::vector<std::pair<RegionId, std::uint64_t>> expire(
      Window now, std::uint32_t windows, const std::set<RegionId>& absent = {});

  /// Sets a pruning plan's price aside, out of the compaction account; plans rise.
  /// Errors: already_charged, amount_out_of_range, insufficient_energy.
  Answer commit_compaction(std::uint64_t plan, Energy energy);
  /// The plan was carried out: its price is spent. Errors: not_open.
  Answer settle_compaction(std::uint64_t plan);
  /// It was not: its price returns to the cycle that it came from, and lapses with it.
  /// Errors: not_open.
  Answer void_compaction(std::uint64_t plan);

  [[nodiscard]] LedgerBalance balance() const;
  /// LEDGER-1 and the first part of LEDGER-2.
  [[nodiscard]] bool conserves_energy() const;

  [[nodiscard]] Energy treasury() const { return treasury_; }
  [[nodiscard]] Energy emergency() const { return emergency_; }
  [[nodiscard]] Energy safety() const { return safety_; }
  [[nodiscard]] Energy compaction() const { return compaction_; }
  /// Empty for an unknown region.
  [[nodiscard]] Lease lease(RegionId region) const;
  /// Nothing where no escrow is open, or the region unknown.
  [[nodiscard]] std::optional<Escrow> escrow(RegionId region) const;
  /// Set aside for plans whose outcome is not known.
  [[nodiscard]] Energy compaction_committed() const;
  [[nodiscard]] std::size_t open_reservations() const { return reservations_.size(); }
  /// What an open reservation holds; nothing when it is not open.
  [[nodiscard]] std::optional<Energy> reserved(RegionId region, std::uint64_t reservation) const;

 private:
  friend struct StateFields;  // tests' list of all fields

  struct Region {
    Lease lease;
    CommandId command_mark;            ///< highest charged to the lease
    std::optional<Escrow> escrow;      ///< emptied by draws it stays until it is given back
    CommandId top_up_mark;             ///< highest charged to the safety reserve
    CommandId draw_mark;               ///< highest charged to an escrow
    std::uint64_t reservation_mark{};  ///< highest used
  };
  struct Reserved {
    Energy energy;
    Window made, touched;
  };
  struct Committed {
    Energy energy;
    Cycle cycle;  ///< whose allowance pays
  };
  using Key = std::pair<RegionId, std::uint64_t>;

  Answer grant_from(Energy& account, RegionId region, Energy energy);
  void lapse(Energy& account, Energy kept_max = {});

  std::vector<Region> regions_;
  std::map<Key, Reserved> reservations_;
  std::map<std::uint64_t, Committed> plans_;  ///< whose outcome is not known
  std::uint64_t plan_mark_{};                 ///< highest committed
  Energy treasury_, emergency_, safety_, compaction_;
  Energy minted_, spent_, lapsed_;
  Cycle minted_cycle_;  ///< newest
};

}  // namespace esper
