#pragma once
// What a living run answers on its control socket.
#include "runtime/control/control_server.hpp"
#include "runtime/control/live_run.hpp"

namespace esper {

/// `live` outlives the server.
[[nodiscard]] ControlServer::Handler control_handler(LiveRun& live);

}  // namespace esper
