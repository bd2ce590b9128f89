#pragma once
// Listens on a run's control socket: a Unix socket of mode 0600 whose peer's user is checked.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "runtime/control/control_protocol.hpp"

namespace esper {

class ControlServer {
 public:
  /// Called on a thread of the server's own, up to two at a time. `who`: the peer's user.
  using Handler = std::function<Result<nlohmann::json, ControlFault>(const ControlRequest& request,
                                                                     const std::string& who)>;
  /// Makes the socket; one that a dead process left is replaced. The folder must be this process's
  /// alone (RunDirectory's lock). Errors: throws std::runtime_error, one sentence with the path.
  ControlServer(const std::filesystem::path& socket, Handler handler);
  /// Closes every connection and removes the socket. Handlers must end soon by themselves.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace esper
