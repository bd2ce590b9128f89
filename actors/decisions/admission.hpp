#pragma once
// Whether a step boundary carries out what it is handed at all: the fence, what was done before,
// the lease, and for a surgery what it was planned for. What the model itself forbids comes after.
#include <string>

#include "messages/adaptation.hpp"
#include "messages/pruning.hpp"

namespace esper {

/// Newest commands carried out for one region.
struct HighWater {
  Epoch epoch;
  std::uint64_t commands{}, escapes{};  ///< sequences within the epoch

  static constexpr auto schema =
      record("HighWater", field("epoch", &HighWater::epoch),
             field("commands", &HighWater::commands), field("escapes", &HighWater::escapes));
};

struct Admission {
  CommandRefusal refusal{CommandRefusal::none};
  std::string detail;  ///< for people
};

/// May the command be carried out at the boundary that closes `boundary`? FENCE-1: not when a newer
/// epoch than its own has been seen (`fence`). A newer epoch begins its own high-water mark.
[[nodiscard]] Admission admit(const AdaptationCommand& command, Window boundary, Epoch fence,
                              HighWater& mark);
/// It was carried out: neither it nor an earlier one is again.
void count_in(HighWater& mark, const AdaptationCommand& command);

/// What every answer to that command begins with.
[[nodiscard]] Outcome outcome_of(const AdaptationCommand& command);

/// What a boundary knows when a surgery is ordered.
struct SurgeryGround {
  std::uint64_t zone_version{}, newest_plan{}, structure_version{};
  Epoch newest_epoch;  ///< that ordered a surgery
  bool checkpoint{};   ///< this boundary is one
};

struct SurgeryAdmission {
  SurgeryRefusal refusal{SurgeryRefusal::none};
  std::string detail;
};

/// ZONE-1: an order planned for other zones than the newest told is stale, whoever approved it.
[[nodiscard]] SurgeryAdmission admit(const SurgeryOrder& order, Window window,
                                     const SurgeryGround& ground);

}  // namespace esper
