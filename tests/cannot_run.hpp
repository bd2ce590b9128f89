#pragma once

#include <string_view>

namespace esper {

/// Says that the running scenario needs something this machine lacks; the scenario then returns.
/// It counts as skipped, never as passed: ctest shows it, scripts/test prints the reason and fails
/// its long tier.
void cannot_run_here(std::string_view reason);

}  // namespace esper
