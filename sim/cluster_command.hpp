#pragma once
// `esper sim --cluster`: seeds of several nodes, and what they came to.
#include "sim/command.hpp"

namespace esper {

/// Exit: fine; invariant when one broke, two traces of one seed differ, or with `covered` something
/// never came; usage.
[[nodiscard]] ExitCode command_cluster(const SimOptions& options);

}  // namespace esper
