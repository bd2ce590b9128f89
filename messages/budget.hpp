#pragma once
// The energy economy: posture, leases, movements of the book, the price with its parts.
#include "messages/adaptation.hpp"

namespace esper {

enum class Posture : std::uint8_t { explore, exploit, crisis, hold };
ESPER_ENUM_NAMES(Posture, "explore", "exploit", "crisis", "hold");

/// energy = max(10, ceil(1000 * risk * disruption)), every part journalled.
struct Price {
  double risk{};        ///< min(1, r0 * (1 + v))
  double volatility{};  ///< v = clip((sigma / sigma_base - 1) / 2, 0, 1)
  double downstream{};  ///< share of the host's operations downstream of the slot
  double relative_norm{};
  double parameters{};  ///< added over the region's
  double disruption{};
  Energy energy;

  static constexpr auto schema =
      record("Price", field("risk", &Price::risk), field("volatility", &Price::volatility),
             field("downstream", &Price::downstream), field("relative_norm", &Price::relative_norm),
             field("parameters", &Price::parameters), field("disruption", &Price::disruption),
             field("energy", &Price::energy));
};

enum class MovementKind : std::uint8_t {
  reserve,
  settle,
  release,
  expire,
  top_up,
  draw,
  give_back
};
ESPER_ENUM_NAMES(MovementKind, "reserve", "settle", "void", "expire", "top_up", "draw",
                 "give_back");

/// One entry that a Narset's book makes and Tamiyo's ledger repeats. `top_up` asks the safety
/// reserve for a price's rise between germination and graft. `draw` spends emergency energy, window
/// by window, while a scaffold stands; `give_back` returns what it did not use to the pool.
struct Movement {
  MovementKind kind{};
  RegionId region;
  std::uint64_t reservation{};  ///< unique in the region, never reused
  CommandId command;            ///< reserve: what it will pay for
  Energy energy;                ///< reserved, really spent, or asked for

  static constexpr auto schema =
      record("Movement", field("kind", &Movement::kind), field("region", &Movement::region),
             field("reservation", &Movement::reservation), field("command", &Movement::command),
             field("energy", &Movement::energy));
};

/// A lease: energy in escrow until a window. 0 energy renews authority alone.
struct Allocation {
  RegionId region;
  Cycle cycle;
  Energy energy;
  Window until;

  static constexpr auto schema =
      record("Allocation", field("region", &Allocation::region), field("cycle", &Allocation::cycle),
             field("energy", &Allocation::energy), field("until", &Allocation::until));
};

/// One cycle's mint and where it went.
struct Mint {
  Cycle cycle;
  Posture posture{};
  double headroom{};
  Energy minted, treasury, emergency, safety, compaction;

  static constexpr auto schema =
      record("Mint", field("cycle", &Mint::cycle), field("posture", &Mint::posture),
             field("headroom", &Mint::headroom), field("minted", &Mint::minted),
             field("treasury", &Mint::treasury), field("emergency", &Mint::emergency),
             field("safety", &Mint::safety), field("compaction", &Mint::compaction));
};

struct PostureChange {
  Posture from{}, to{};
  std::string reason;

  static constexpr auto schema =
      record("PostureChange", field("from", &PostureChange::from), field("to", &PostureChange::to),
             field("reason", &PostureChange::reason));
};

/// Answer to a top_up.
struct TopUp {
  RegionId region;
  std::uint64_t reservation{};
  Energy energy;  ///< 0: the safety reserve had too little

  static constexpr auto schema =
      record("TopUp", field("region", &TopUp::region), field("reservation", &TopUp::reservation),
             field("energy", &TopUp::energy));
};

/// What compaction may spend in a cycle, the inverse of what growth spends, with its parts.
struct PruningAllowance {
  Cycle cycle;
  Energy allowance;
  Energy spend, forecast;  ///< of the regions, in the cycle that ended
  double smoothed{};       ///< thousandths: EMA over three cycles of spend and forecast

  static constexpr auto schema = record(
      "PruningAllowance", field("cycle", &PruningAllowance::cycle),
      field("allowance", &PruningAllowance::allowance), field("spend", &PruningAllowance::spend),
      field("forecast", &PruningAllowance::forecast),
      field("smoothed", &PruningAllowance::smoothed));
};

/// The book at a turn's end. LEDGER-1: minted == available + reserved + spent + lapsed.
struct LedgerBalance {
  Energy minted, available, reserved, spent, lapsed;

  static constexpr auto schema = record(
      "LedgerBalance", field("minted", &LedgerBalance::minted),
      field("available", &LedgerBalance::available), field("reserved", &LedgerBalance::reserved),
      field("spent", &LedgerBalance::spent), field("lapsed", &LedgerBalance::lapsed));
};

}  // namespace esper
