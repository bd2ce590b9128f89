#pragma once
// The end of a group: nobody goes before all have come as far.
#include <chrono>
#include <memory>
#include <string>

#include "gpu/shared_store.hpp"

namespace esper {

/// Waits until `world` replicas of that group have called it, at most `patience`.
inline void leave_together(SharedStore& store, const std::string& group, std::uint32_t world,
                           std::chrono::milliseconds patience) noexcept {
  try {
    const std::string gone = group + "/left";
    if (store.add(gone, 1) == world) store.set(gone + " all", "");
    (void)store.get(gone + " all", patience);
  } catch (const std::exception&) {
    // Its keeper was the last to read and has ended.
  }
}

}  // namespace esper
