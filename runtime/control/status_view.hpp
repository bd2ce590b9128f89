#pragma once
// A run's standing as lines for a terminal.
#include <iosfwd>

#include "runtime/control/live_run.hpp"

namespace esper {

void print_status(std::ostream& out, const LiveStatus& status);

}  // namespace esper
