#pragma once
// Whether this is the long tier (`scripts/test --long`): counts too large for every run.
#include <cstdlib>

namespace esper {

[[nodiscard]] inline bool long_tier() { return std::getenv("ESPER_LONG") != nullptr; }

}  // namespace esper
