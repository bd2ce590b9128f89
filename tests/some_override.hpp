#pragma once
// An override as a person would give it, for tests.
#include "messages/override.hpp"

namespace esper {

[[nodiscard]] inline Override some_override(OverrideKind kind, Window until, RegionId region = {}) {
  Override made;
  made.id = 1;
  made.kind = kind;
  made.region = region;
  made.until = until;
  made.who = "somebody";
  made.why = "to see";
  return made;
}

}  // namespace esper
