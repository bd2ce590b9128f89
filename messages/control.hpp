#pragma once
// What the roles tell each other about the turn itself: opening, closing, dying, coming back.
#include <limits>

#include "messages/blueprint.hpp"
#include "messages/turn.hpp"

namespace esper {

/// Tolaria opens a turn; sent again unchanged while the turn stays open.
struct TurnOpened {
  WindowReport report;

  static constexpr auto schema = record("TurnOpened", field("report", &TurnOpened::report));
};

/// The turn is in the journal; the next one may open with these answers.
struct TurnCommitted {
  Window window;
  std::vector<Answers> answers;  ///< region order; empty when Tamiyo was absent

  static constexpr auto schema = record("TurnCommitted", field("window", &TurnCommitted::window),
                                        field("answers", &TurnCommitted::answers));
};

/// A role died, or gave up: no open turn waits for it.
struct RoleDown {
  Role role{};
  RegionId region;
  std::string reason;

  static constexpr auto schema =
      record("RoleDown", field("role", &RoleDown::role), field("region", &RoleDown::region),
             field("reason", &RoleDown::reason));
};

/// A new incarnation asks for its past.
struct Recover {
  Role role{};
  RegionId region;
  Epoch epoch;
  Window released;  ///< Kasmina: the newest turn that its executor holds
  Window known{};   ///< Narset: it has folded in the turns up to here

  static constexpr auto schema =
      record("Recover", field("role", &Recover::role), field("region", &Recover::region),
             field("epoch", &Recover::epoch), field("released", &Recover::released),
             field("known", &Recover::known));
};

/// Answer to Recover: the committed turns, as far as the role needs them.
struct Recovery {
  Window committed;                     ///< newest turn in the journal; 0: none
  std::vector<Answers> answers;         ///< Tolaria: of that turn
  std::optional<CheckpointReady> copy;  ///< Tolaria: the newest that Elesh may measure
  std::vector<TurnRecord> turns;        ///< Narset, Tamiyo
  bool more{};                          ///< Narset: turns behind these are still to be asked for
  std::vector<TurnRelease> releases;    ///< Kasmina: newer than `released`, in order
  std::optional<Catalogue> catalogue;   ///< Urza

  static constexpr auto schema =
      record("Recovery", field("committed", &Recovery::committed),
             field("answers", &Recovery::answers), field("copy", &Recovery::copy),
             field("turns", &Recovery::turns), field("more", &Recovery::more),
             field("releases", &Recovery::releases), field("catalogue", &Recovery::catalogue));
};

/// Asks Kasmina for the region's seeds as the executor knows them; also raises the fence.
struct ReadSeeds {
  RegionId region;
  Epoch epoch;

  static constexpr auto schema =
      record("ReadSeeds", field("region", &ReadSeeds::region), field("epoch", &ReadSeeds::epoch));
};

struct RegionSeeds {
  std::vector<SeedStatus> seeds;

  static constexpr auto schema = record("RegionSeeds", field("seeds", &RegionSeeds::seeds));
};

struct ReadCatalogue {
  RegionId region;

  static constexpr auto schema = record("ReadCatalogue", field("region", &ReadCatalogue::region));
};

/// What no lane could deliver: as Oona logs it.
struct DeadLetter {
  std::string lane;
  std::string reason;
  std::uint64_t count{};

  static constexpr auto schema =
      record("DeadLetter", field("lane", &DeadLetter::lane), field("reason", &DeadLetter::reason),
             field("count", &DeadLetter::count));
};

/// Fault injection: end the role's present incarnation as a crash would.
struct KillRole {
  Role role{};
  RegionId region;
  /// With more other roles down than so many, none is killed.
  std::uint32_t others_down_max{std::numeric_limits<std::uint32_t>::max()};

  static constexpr auto schema =
      record("KillRole", field("role", &KillRole::role), field("region", &KillRole::region),
             field("others_down_max", &KillRole::others_down_max));
};

/// Answer to KillRole.
struct KillAnswer {
  bool hit{};                   ///< false: the role is down itself, or there is none, or
  bool held_back{};             ///< too many others are down
  std::uint32_t others_down{};  ///< now

  static constexpr auto schema = record("KillAnswer", field("hit", &KillAnswer::hit),
                                        field("held_back", &KillAnswer::held_back),
                                        field("others_down", &KillAnswer::others_down));
};

/// The supervisor's message to itself: the backoff of the child at this place has passed.
struct StartRole {
  std::uint32_t child{};

  static constexpr auto schema = record("StartRole", field("child", &StartRole::child));
};

/// An actor's message to itself: look again. `window` tells a stale one from a fresh one.
struct Nudge {
  Window window;

  static constexpr auto schema = record("Nudge", field("window", &Nudge::window));
};

}  // namespace esper
