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

Answer begin_chaos(LiveRun& live, const ControlRequest& request, const std::string& who) {
  auto order = read_chaos(request.arguments);
  if (!order) return order.refusal();
  order.value().who = who;
  const auto begun = live.chaos().begin(order.value());
  if (!begun)
    return ControlFault{begun.refusal().busy ? ControlProblem::busy : ControlProblem::refused,
                        begun.refusal().sentence};
  return to_json(begun.value(), Floats::plain);
}

Answer tell_chaos(LiveRun& live, const ControlRequest& request) {
  if (!request.arguments.empty())
    return ControlFault{ControlProblem::malformed,
                        std::string{name_of(request.command)} + " takes no other keys"};
  if (request.command == ControlCommand::heal) live.chaos().heal("somebody asked for it");
  const auto account = live.chaos().account();
  if (!account) return ControlFault{ControlProblem::refused, "nothing was injected into this run"};
  return to_json(*account, Floats::plain);
}

Answer drain_node(const LiveRun& live, const ControlRequest& request) {
  const auto& arguments = request.arguments;
  if (arguments.size() != 1 || !arguments.contains("node") || !arguments.at("node").is_string())
    return ControlFault{ControlProblem::malformed,
                        "drain takes \"node\", a text, and nothing else"};
  const auto why = live.drain(arguments.at("node").get<std::string>());
  if (!why.empty()) return ControlFault{ControlProblem::refused, why};
  return nlohmann::json{{"node", arguments.at("node")}};
}

}  // namespace

ControlServer::Handler control_handler(LiveRun& live) {
  return [&live](const ControlRequest& request, const std::string& who) {
    switch (request.command) {
      case ControlCommand::override:
        return take_override(live, request, who);
      case ControlCommand::chaos:
        return begin_chaos(live, request, who);
      case ControlCommand::chaos_status:
      case ControlCommand::heal:
        return tell_chaos(live, request);
      case ControlCommand::drain:
        return drain_node(live, request);
      default:
        return tell_status(live, request);
    }
  };
}

}  // namespace esper
