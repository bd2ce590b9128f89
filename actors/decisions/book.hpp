#pragma once
// One region's own account of its lease. What it books, Tamiyo's ledger repeats movement by
// movement.
#include <array>
#include <vector>

#include "actors/decisions/pricing.hpp"
#include "messages/budget.hpp"
#include "messages/result.hpp"

namespace esper {

/// The parts of a seed's price. `rise` pays what the price rose by between germination and graft.
enum class ReservationPart : std::uint8_t { germinate, graft, stabilise, rise };

struct Reservation {
  std::uint64_t id{};
  SeedId seed;
  ReservationPart part{};
  Energy energy;
};

enum class BookRefusal : std::uint8_t {
  insufficient_energy,  ///< the lease's free energy does not cover it: ask for more
  already_reserved,     ///< this seed has open reservations
};

/// A plain value. Neither `free` nor `emergency` falls below 0; each reservation is resolved once
/// and its number is never used again: numbers come from a counter that a replay of the same turns
/// rebuilds.
class Book {
 public:
  explicit Book(RegionId region) : region_(region) {}

  /// A new lease replaces the old: what was free lapsed with its cycle.
  void renew(const Allocation& lease);
  /// An approved proposal's energy joins the lease.
  void add(Energy energy);
  /// Free energy is gone when the lease ended before `now`.
  void end_lease(Window now);
  /// May a command take effect at the boundary that closes `boundary`?
  [[nodiscard]] bool has_authority(Window boundary) const { return boundary <= until_; }

  /// Sets all three parts of a seed's price aside, or nothing. Every part has a command id of its
  /// own, since no id is charged twice. Returns the germinate part's number; graft's and
  /// stabilise's follow it.
  /// Errors: insufficient_energy, already_reserved.
  [[nodiscard]] Result<std::uint64_t, BookRefusal> reserve_seed(
      SeedId seed, const PriceShares& shares, const std::array<CommandId, 3>& commands);
  /// Errors: insufficient_energy, already_reserved (one rise a seed).
  [[nodiscard]] Result<std::uint64_t, BookRefusal> reserve_rise(SeedId seed, Energy energy,
                                                                CommandId command);
  /// Asks the safety reserve to enlarge the seed's graft part. False: it has none open.
  bool ask_top_up(SeedId seed, Energy energy, CommandId command);
  /// An outcome that pays nothing: what is still open for the seed gets its full time again.
  void prolong(SeedId seed, CommandId command);
  /// The answer: enlarges the open reservation it names.
  void take_top_up(const TopUp& answer);

  /// Books what was really spent, at most what was set aside; the rest is free again. Nothing
  /// happens when the part is not open.
  void settle(SeedId seed, ReservationPart part, Energy most, CommandId command);
  /// Voids all that is still open for the seed.
  void release(SeedId seed);
  /// The ledger let it expire: it is gone, and the seed that it would have paid for is named.
  std::optional<SeedId> expire(std::uint64_t reservation);

  /// Granted from the emergency pool: stands in escrow beside the lease, for a scaffold alone, and
  /// does not end with it.
  void take_emergency(Energy energy);
  /// Spends part of it at once; returns what was really spent. 0 moves nothing.
  Energy draw(Energy most, CommandId command);
  /// The rest of it returns to the pool.
  void give_back(CommandId command);
  /// The pool took it back by itself: it is gone, and nothing is booked here.
  void reclaim_emergency() { emergency_ = {}; }
  [[nodiscard]] Energy emergency() const { return emergency_; }

  [[nodiscard]] Energy free() const { return free_; }
  [[nodiscard]] Window until() const { return until_; }
  [[nodiscard]] Energy open() const;
  [[nodiscard]] Energy open(SeedId seed) const;
  [[nodiscard]] const Reservation* find(SeedId seed, ReservationPart part) const;

  /// Movements since the last call, in the order they were made.
  [[nodiscard]] std::vector<Movement> take_movements();

 private:
  friend struct StateFields;  // tests' list of all fields

  std::uint64_t reserve(SeedId seed, ReservationPart part, Energy energy, CommandId command);
  void move(MovementKind kind, std::uint64_t reservation, CommandId command, Energy energy);

  RegionId region_;
  Energy free_;
  Energy emergency_;
  Window until_;
  std::uint64_t next_reservation_{1};
  std::vector<Reservation> open_;  ///< in order of their numbers
  std::vector<Movement> movements_;
};

}  // namespace esper
