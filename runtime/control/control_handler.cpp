#include "runtime/control/control_handler.hpp"

#include "messages/json.hpp"

namespace esper {
namespace {

using Answer = Result<nlohmann::json, ControlFault>;

Answer take_override(LiveRun& live, const ControlRequest& request, const std::string& who) {
  const auto host = live.host();
  if (host.regions.empty())
    return ControlFault{ControlProblem::busy, "the run has not begun yet: ask again soon"};
  auto read = read_override(request.arguments, host);
  if (!read) return read.refusal();
  read.value().asked.who = who;
  const auto given = live.give(read.value().asked, read.value().patience);
  if (!given) return given.refusal();
  return to_json(given.value(), Floats::plain);
}

Answer tell_status(LiveRun& live, const ControlRequest& request) {
  if (!request.arguments.empty())
    return ControlFault{ControlProblem::malformed, "status takes no other keys"};
  return to_json(live.status(), Floats::plain);
}

}  // namespace

ControlServer::Handler control_handler(LiveRun& live) {
  return [&live](const ControlRequest& request, const std::string& who) {
    return request.command == ControlCommand::override ? take_override(live, request, who)
                                                       : tell_status(live, request);
  };
}

}  // namespace esper
