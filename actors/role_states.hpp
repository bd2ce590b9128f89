#pragma once
// All that each role keeps in memory while it lives. It ends with the incarnation: a successor has
// its past from the journal and the executor alone.
#include <deque>

#include "actors/decisions/strategy.hpp"
#include "actors/decisions/tactics.hpp"
#include "actors/lane_books.hpp"
#include "actors/turn_answer.hpp"
#include "actors/turn_book.hpp"

namespace esper {

struct NarsetState {
  std::optional<Tactics> tactics;
  std::optional<std::vector<SeedStatus>> read_back;  ///< input of the first turn after a restart
  TurnAnswer<RegionTurn, RegionPart> answer;
  const char* name = "narset";
};

struct TamiyoState {
  std::optional<Strategy> strategy;
  TurnAnswer<TurnReports, StrategyPart> answer;
  const char* name = "tamiyo";
};

struct PendingRecovery {
  Recover asked;
  caf::typed_response_promise<Recovery> promise;
};

struct JournalState {
  std::optional<TurnBook> book;
  CommandEntries commands;
  std::vector<PendingRecovery> recoveries;
  Window asked;    ///< the turn whose reports Tamiyo has been sent
  Window planned;  ///< the turn that Emrakul has been asked to plan for
  std::optional<Breaker> disk;
  std::optional<Breaker> deposed;
  const char* name = "journal";
};

struct KasminaState {
  std::deque<TurnRelease> waiting;  ///< without a gap after what the executor holds
  bool recovered = false;
  bool behind = false;  ///< turns after `waiting` have to be read from the journal
  bool nudged = false;
  const char* name = "kasmina";
};

struct UrzaState {
  std::optional<Catalogue> catalogue;
  const char* name = "urza";
};

struct EleshState {
  std::uint64_t measured{};  ///< newest checkpoint
  const char* name = "elesh";
};

struct EmrakulState {
  std::optional<ImportanceReport> importance;  ///< the newest
  std::optional<PlanningTurn> waiting;         ///< for Elesh's numbers
  std::optional<PruningPart> answered;         ///< the newest; asked again, it is sent again
  bool elesh_fell = false;                     ///< since its last numbers
  bool recovered = false;
  const char* name = "emrakul";
};

struct TolariaState {
  Window committed;
  std::vector<Answers> answers;  ///< of the committed turn
  std::optional<WindowReport> open;
  bool recovered = false;
  std::optional<Breaker> checkpoints;
  const char* name = "tolaria";
};

struct OonaState {
  std::optional<LaneBooks> books;
  const char* name = "oona";
};

#ifdef ESPER_PLANTED
/// One test build looks at each state, still whole, just before it is destroyed, and overwrites it.
/// Null: nobody looks. Called on the dying actor's thread.
template <typename State>
inline void (*at_death)(State&) = nullptr;

template <typename State>
struct Mortal : State {
  ~Mortal() {
    if (at_death<State> != nullptr) at_death<State>(*this);
  }
};
#else
template <typename State>
using Mortal = State;
#endif

/// How a role's actor is seen from within.
template <typename Handle, typename State>
using SelfOf = typename Handle::template stateful_pointer<Mortal<State>>;

}  // namespace esper
