#pragma once
// Whether replicas stand alike: a hash of each thing that trains, by the name that a checkpoint
// gives it. Streams are left out, each replica draws from its own.
#include "gpu/checkpoint_parts.hpp"

namespace esper {

struct StateHash {
  std::string name;
  std::uint64_t hash{};
};

/// Tensors and moments of host and seeds, and how the seeds stand. 64 bits each, against accidents,
/// not against somebody who means it.
[[nodiscard]] std::vector<StateHash> state_hashes(HostModel& host,
                                                  torch::optim::Optimizer& optimizer,
                                                  const SeedBed& bed, const SessionData& data);
/// One for all of them.
[[nodiscard]] std::uint64_t hash_of(const std::vector<StateHash>& states);
[[nodiscard]] std::uint64_t hash_of(const void* bytes, std::size_t count);

}  // namespace esper
