#pragma once
// What a person asks for in a rehearsal, simulated or on a living run.
#include "messages/fault.hpp"
#include "messages/override.hpp"

namespace esper {

/// Of an escape, a freeze, a grant or a posture. Posture and energy follow from the fault's
/// instant; windows, who and why are the giver's to fill in.
[[nodiscard]] inline Override override_of(const Fault& fault) {
  Override given;
  given.kind = fault.kind == FaultKind::escape   ? OverrideKind::escape
               : fault.kind == FaultKind::freeze ? OverrideKind::freeze
               : fault.kind == FaultKind::grant  ? OverrideKind::grant
                                                 : OverrideKind::posture;
  if (given.kind != OverrideKind::posture) given.region = region_of(fault);
  given.posture = static_cast<Posture>((fault.at_ms / 7) % 4);
  given.energy = {static_cast<std::int64_t>(fault.at_ms % 90)};
  return given;
}

}  // namespace esper
