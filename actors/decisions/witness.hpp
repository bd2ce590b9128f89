#pragma once
// A node that does not train, and still has a vote on which trainers go on: it stands on the side
// of a cut that reaches it.
#include <optional>

#include "actors/decisions/training_group.hpp"
#include "messages/cluster.hpp"

namespace esper {

/// What it must find on its disk when it starts again, written before an answer leaves.
struct WitnessMemory {
  std::uint64_t run{};       ///< as of WitnessQuestion; 0: none yet
  std::uint64_t promised{};  ///< newest epoch that it voted for
  std::uint64_t newest{};    ///< of the newest group that it agreed to; 0: none
  std::vector<std::string> members;

  static constexpr auto schema =
      record("WitnessMemory", field("run", &WitnessMemory::run),
             field("promised", &WitnessMemory::promised), field("newest", &WitnessMemory::newest),
             field("members", &WitnessMemory::members));
  friend bool operator==(const WitnessMemory&, const WitnessMemory&) = default;
};

/// Votes once for each epoch and agrees to one group of it, by the rules of TrainingGroup. A later
/// launch of the run begins anew; an earlier one gets no vote any more. A plain value.
class Witness {
 public:
  /// Errors: InvariantViolation when `self` is not configured.
  Witness(std::vector<Voter> configured, std::string self, const WitnessMemory& memory = {});

  /// Write `memory()` down before the answer leaves.
  [[nodiscard]] WitnessAnswer answer(const WitnessQuestion& question);
  [[nodiscard]] WitnessMemory memory() const;

 private:
  std::vector<Voter> configured_;
  std::string self_;
  std::uint64_t run_;
  TrainingGroup group_;
};

/// What a vote counts for among those of trainers.
[[nodiscard]] Standing standing_of(const WitnessAnswer& vote, std::uint64_t epoch);

}  // namespace esper
