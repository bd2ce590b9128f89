#pragma once
// What is asked of a living run, and how each fault of it stands.
#include <string>
#include <vector>

#include "messages/fault.hpp"

namespace esper {

/// What is asked for.
struct ChaosOrder {
  std::string rehearsal;  ///< its name
  std::vector<Fault> faults;
  std::uint64_t duration_ms{};  ///< then all heals; 0: a little after the last fault's end
  std::uint32_t blast{};        ///< at most so much at once, as blast_of counts
  bool skip_impossible{};       ///< what cannot befall the run is left out, and named
  std::string who;
};

enum class FaultState : std::uint8_t {
  waiting,   ///< for its instant, or for whom it is to befall
  standing,  ///< it lasts
  over,      ///< it struck
  missed,    ///< all healed before it struck
};
ESPER_ENUM_NAMES(FaultState, "waiting", "standing", "over", "missed");

struct FaultStanding {
  std::uint64_t number{};
  Fault fault;
  FaultState state{};
  std::uint64_t struck_ms{};  ///< from the beginning; 0: not yet
  std::string note;           ///< what stands in its way

  static constexpr auto schema =
      record("FaultStanding", field("number", &FaultStanding::number),
             field("fault", &FaultStanding::fault), field("state", &FaultStanding::state),
             field("struck_ms", &FaultStanding::struck_ms), field("note", &FaultStanding::note));
};

struct SkippedFault {
  Fault fault;
  std::string reason;

  static constexpr auto schema = record("SkippedFault", field("fault", &SkippedFault::fault),
                                        field("reason", &SkippedFault::reason));
};

struct ChaosAccount {
  std::uint64_t id{};  ///< counted from 1 in each process of a run
  std::string rehearsal, who;
  std::uint64_t elapsed_ms{}, duration_ms{};
  std::uint32_t blast{};
  std::string ended;  ///< why all has healed; "": it has not
  std::vector<FaultStanding> faults;
  std::vector<SkippedFault> skipped;

  static constexpr auto schema = record(
      "ChaosAccount", field("id", &ChaosAccount::id), field("rehearsal", &ChaosAccount::rehearsal),
      field("who", &ChaosAccount::who), field("elapsed_ms", &ChaosAccount::elapsed_ms),
      field("duration_ms", &ChaosAccount::duration_ms), field("blast", &ChaosAccount::blast),
      field("ended", &ChaosAccount::ended), field("faults", &ChaosAccount::faults),
      field("skipped", &ChaosAccount::skipped));
};

struct ChaosRefusal {
  bool busy{};  ///< another is under way, or the actors are not there; false: not as it is asked
  std::string sentence;
};

}  // namespace esper
