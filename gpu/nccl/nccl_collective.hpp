#pragma once
// A group of replicas over c10d's NCCL, one GPU each. Only where LibTorch is built with CUDA: no
// target of CMakeLists.txt has it, scripts/check-cuda compiles and links it.
#include <chrono>
#include <memory>

#include "gpu/collective.hpp"
#include "gpu/shared_store.hpp"

namespace esper {

struct NcclPlace {
  std::string group;     ///< its name in the store; no two groups of a store have the same
  std::int8_t device{};  ///< number of this replica's GPU; no two replicas have the same one
  std::uint32_t rank{}, world{1};
  std::chrono::milliseconds patience{10'000};  ///< for each call, and for the others to come
};

/// Values may be on the CPU, too: they then go to the device and back.
/// Errors: CollectiveFailed, one sentence, when there is no such GPU.
[[nodiscard]] std::unique_ptr<Collective> nccl_collective(std::shared_ptr<SharedStore> store,
                                                          const NcclPlace& place);

}  // namespace esper
