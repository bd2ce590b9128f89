// The socket itself: who may connect, what is too much, and that nothing is left behind.
#include "runtime/control/control_server.hpp"

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <catch2/catch.hpp>

#include "runtime/control/control_client.hpp"
#include "runtime/control/socket_path.hpp"
#include "tests/cannot_run.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds patience{20'000};

Result<nlohmann::json, ControlFault> echo(const ControlRequest& request, const std::string& who) {
  if (request.arguments.contains("slow"))
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  if (request.arguments.contains("throw")) throw std::runtime_error("it broke");
  return nlohmann::json{{"arguments", request.arguments}, {"who", who}};
}

/// A bare connection, for what no client of ours sends. -1: it could not connect.
class Peer {
 public:
  explicit Peer(const fs::path& socket)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SocketPath path(socket);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.text().copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval wait{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  }
  ~Peer() { ::close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void send(const std::string& text) const {
    (void)!::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// One line; "" when the other side hung up.
  std::string line() {
    std::string text;
    char byte = 0;
    while (::recv(socket_, &byte, 1, 0) == 1 && byte != '\n') text += byte;
    return text;
  }
  std::string code(const std::string& text) {
    send(text);
    const auto answer = nlohmann::json::parse(line(), nullptr, false);
    if (!answer.is_object()) return "";
    return answer.at("ok") == true ? "ok" : answer.at("error").at("code").get<std::string>();
  }

 private:
  int socket_;
  bool connected_{};
};

constexpr const char* status_line = "{\"esper\":1,\"id\":5,\"command\":\"status\"}\n";

/// What `work` returns in a child process of another user.
int as_another_user(const std::function<int()>& work) {
  constexpr uid_t nobody = 65'534;
  const pid_t child = fork();
  if (child == 0) _exit(setgid(nobody) == 0 && setuid(nobody) == 0 ? work() : 99);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

}  // namespace

SCENARIO("a run's own user is answered, request after request", "[control_socket]") {
  const ScratchFolder folder;
  const auto socket = folder / "control.sock";
  {
    const ControlServer server(socket, echo);
    struct stat made {};
    REQUIRE(stat(socket.c_str(), &made) == 0);
    CHECK((made.st_mode & 0777) == 0600);
    const auto answer = ask_run(socket, {{"command", "status"}, {"a", 1}}, patience);
    REQUIRE(answer.has_value());
    CHECK(answer.value().at("arguments") == nlohmann::json{{"a", 1}});
    CHECK_FALSE(answer.value().at("who").get<std::string>().empty());
    const auto broken = ask_run(socket, {{"command", "status"}, {"throw", 1}}, patience);
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.refusal().sentence == "it broke");

    Peer peer(socket);
    REQUIRE(peer.connected());
    CHECK(peer.code(status_line) == "ok");
    CHECK(peer.code("no JSON\n") == "malformed");
    CHECK(peer.code("{\"esper\":7,\"command\":\"status\"}\n") == "unknown_version");
    CHECK(peer.code(status_line) == "ok");  // the connection stands
    peer.send(status_line);                 // two in one go: answered one after the other
    CHECK(peer.code(status_line) == "ok");
    CHECK(nlohmann::json::parse(peer.line()).at("id") == 5);
  }
  CHECK_FALSE(fs::exists(socket));
  const auto gone = ask_run(socket, {{"command", "status"}}, patience);
  CHECK(gone.refusal().problem == ControlProblem::unreachable);
}

SCENARIO("what is too much is refused: long lines, many connections", "[control_socket]") {
  const ScratchFolder folder;
  const auto socket = folder / "control.sock";
  const ControlServer server(socket, echo);
  {
    Peer peer(socket);
    CHECK(peer.code(std::string(request_bytes_max + 10, 'x') + "\n") == "too_large");
    CHECK(peer.line().empty());  // and it hung up
  }
  {
    Peer endless(socket);
    CHECK(endless.code(std::string(request_bytes_max + 10, 'x')) == "too_large");
  }
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 16; ++i) {
    peers.push_back(std::make_unique<Peer>(socket));
    CHECK(peers.back()->code(status_line) == "ok");
  }
  Peer one_more(socket);
  CHECK(nlohmann::json::parse(one_more.line()).at("error").at("code") == "busy");
  peers.clear();
  const auto later = [&] {  // their ends may not have been seen yet
    Peer peer(socket);
    return peer.code(status_line) == "ok";
  };
  bool admitted = false;
  for (int i = 0; i < 1'000 && !admitted; ++i) admitted = later();
  CHECK(admitted);
}

SCENARIO("another user of the machine cannot connect", "[control_socket]") {
  if (geteuid() != 0) return cannot_run_here("to become another user takes root");
  const ScratchFolder folder;
  fs::permissions(folder.path(), fs::perms::all);
  const auto socket = folder / "control.sock";
  const ControlServer server(socket, echo);
  CHECK(as_another_user([&] { return Peer(socket).connected() ? 1 : 0; }) == 0);
  // Even where somebody has opened the socket to all, the peer's user is checked.
  fs::permissions(socket, fs::perms::all);
  CHECK(as_another_user([&] {
          Peer peer(socket);
          if (!peer.connected()) return 2;
          const auto answer = nlohmann::json::parse(peer.line(), nullptr, false);
          return answer.is_object() && answer.at("error").at("code") == "other_user" ? 0 : 1;
        }) == 0);
}

SCENARIO("a path longer than a socket's address and a dead process's socket are no obstacle",
         "[control_socket]") {
  const ScratchFolder folder;
  const auto deep = folder / std::string(100, 'd') / std::string(100, 'e');
  fs::create_directories(deep);
  std::ofstream{deep / "control.sock"} << "left behind";
  const ControlServer server(deep / "control.sock", echo);
  CHECK(ask_run(deep / "control.sock", {{"command", "status"}}, patience).has_value());
  CHECK_THROWS_AS(ControlServer(folder / "no/such/control.sock", echo), std::runtime_error);
}

SCENARIO("a server that ends while it answers leaves nobody hanging", "[control_socket]") {
  const ScratchFolder folder;
  const auto socket = folder / "control.sock";
  auto server = std::make_unique<ControlServer>(socket, echo);
  std::vector<std::future<bool>> asked;
  for (int i = 0; i < 6; ++i)
    asked.push_back(std::async(std::launch::async, [&] {
      const auto answer = ask_run(socket, {{"command", "status"}, {"slow", 1}}, patience);
      return answer.has_value() || answer.refusal().problem == ControlProblem::unreachable ||
             answer.refusal().problem == ControlProblem::timed_out;
    }));
  server.reset();
  for (auto& one : asked) CHECK(one.get());
}

}  // namespace esper
