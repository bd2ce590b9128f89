#include "runtime/control/control_client.hpp"

#include <asio.hpp>

#include "messages/schema.hpp"
#include "runtime/control/socket_path.hpp"

namespace esper {

Result<nlohmann::json, ControlFault> ask_run(const std::filesystem::path& socket,
                                             nlohmann::json request,
                                             std::chrono::milliseconds patience) {
  using nlohmann::json;
  const SocketPath address(socket);
  asio::local::stream_protocol::iostream stream;
  stream.expires_after(patience);
  if (address.good()) stream.connect(asio::local::stream_protocol::endpoint(address.text()));
  if (!address.good() || !stream)
    return ControlFault{ControlProblem::unreachable,
                        socket.string() + ": no run listens there" +
                            (address.good() ? " (" + stream.error().message() + ")" : "")};
  request["esper"] = control_version;
  request["id"] = 1;
  stream << request.dump() << std::endl;
  std::string line;
  if (!std::getline(stream, line)) {
    const bool late = stream.error() == asio::error::operation_aborted ||
                      stream.error() == asio::error::timed_out;
    return ControlFault{late ? ControlProblem::timed_out : ControlProblem::unreachable,
                        socket.string() + (late ? ": no answer in time" : ": the run hung up")};
  }
  const auto answer = json::parse(line, nullptr, false);
  if (answer.is_object() && answer.value("ok", false)) return answer.at("result");
  try {
    const auto& error = answer.at("error");
    return ControlFault{enum_from<ControlProblem>(error.at("code").get<std::string>())
                            .value_or(ControlProblem::refused),
                        error.at("sentence").get<std::string>()};
  } catch (const json::exception&) {
    return ControlFault{ControlProblem::malformed, socket.string() + " answered: " + line};
  }
}

}  // namespace esper
