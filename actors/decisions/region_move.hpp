#pragma once
// When a region whose node is lost may be started on another: its old Narset may still live there,
// and must not be able to change anything any more.
#include <cstdint>

#include "messages/units.hpp"

namespace esper {

struct MoveFacts {
  Epoch next;          ///< under which it would be started
  Epoch fence;         ///< the highest that the executor has acknowledged for the region
  Window lease_until;  ///< last window of the old Narset's lease; 0: it never had one
  Window window;       ///< the newest that is known to be over, from any replica
};

enum class MoveVerdict : std::uint8_t {
  fence,  ///< not yet: raise the fence
  start,  ///< the executor takes nothing of the old one; what is left of its lease may be granted
  start_without_lease,  ///< the old lease has run out by itself: only a later cycle's is granted
};

[[nodiscard]] MoveVerdict may_start(const MoveFacts& facts);

}  // namespace esper
