#include "actors/decisions/region_move.hpp"

#include "actors/decisions/planted.hpp"

namespace esper {

MoveVerdict may_start(const MoveFacts& facts) {
  if (planted(Planted::move_before_fence)) return MoveVerdict::start;
  if (facts.fence >= facts.next) return MoveVerdict::start;
  return facts.window > facts.lease_until ? MoveVerdict::start_without_lease : MoveVerdict::fence;
}

}  // namespace esper
