#pragma once
// A group of replicas over c10d's Gloo: TCP between processes, or between threads of one.
#include <chrono>
#include <memory>

#include "gpu/collective.hpp"
#include "gpu/shared_store.hpp"

namespace esper {

struct GlooPlace {
  std::string group;    ///< its name in the store; no two groups of a store have the same
  std::string address;  ///< that this replica is reached at, a name or a number
  std::uint32_t rank{}, world{1};
  std::chrono::milliseconds patience{10'000};  ///< for each call, and for the others to come
};

/// Waits until every replica of the group is there.
/// Errors: CollectiveFailed, one sentence, when they do not come in time.
[[nodiscard]] std::unique_ptr<Collective> gloo_collective(std::shared_ptr<SharedStore> store,
                                                          const GlooPlace& place);

}  // namespace esper
