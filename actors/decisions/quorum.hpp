#pragma once
// Which side of a cut goes on.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "messages/cluster_config.hpp"

namespace esper {

struct Voter {
  std::string node;
  bool trains{};
};

/// One node's word that it stands on a side, in one epoch of the membership.
struct Vote {
  std::string node;
  std::uint64_t epoch{};
};

/// Why this side stops stepping; "": it goes on. `configured`: every node of the config. Votes of
/// another epoch, of strangers, and second ones do not count.
[[nodiscard]] inline std::string no_quorum(const std::vector<Voter>& configured,
                                           const std::vector<Vote>& votes, std::uint64_t epoch,
                                           QuorumRule rule) {
  std::size_t present = 0, trainers = 0;
  for (const Voter& voter : configured) {
    const bool here = std::any_of(votes.begin(), votes.end(), [&](const Vote& vote) {
      return vote.node == voter.node && vote.epoch == epoch;
    });
    present += here ? 1 : 0;
    trainers += here && voter.trains ? 1 : 0;
  }
  if (trainers == 0) return "no trainer is on this side";
  if (rule == QuorumRule::majority && 2 * present <= configured.size())
    return std::to_string(present) + " of " + std::to_string(configured.size()) +
           " nodes are on this side, not more than half";
  return "";
}

}  // namespace esper
