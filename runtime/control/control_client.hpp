#pragma once
// One request to a living run.
#include <filesystem>

#include "runtime/control/control_protocol.hpp"

namespace esper {

/// The answer's result. `request`: the command with its arguments. Errors: unreachable (nobody
/// listens), timed_out, or what the run answered.
[[nodiscard]] Result<nlohmann::json, ControlFault> ask_run(const std::filesystem::path& socket,
                                                           nlohmann::json request,
                                                           std::chrono::milliseconds patience);

}  // namespace esper
