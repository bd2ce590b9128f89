#include "runtime/control/control_server.hpp"

#include <array>
#include <optional>
#include <set>
#include <thread>

#include <asio.hpp>

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "runtime/control/socket_path.hpp"

namespace esper {
namespace {

using Socket = asio::local::stream_protocol;

constexpr std::size_t connections_max = 16;
/// A connection that asks nothing for so long is closed.
constexpr std::chrono::seconds silence_max{60};

struct Peer {
  bool admitted{};
  std::string who;
};

/// As the kernel says: neither a name nor a number comes from the peer itself.
Peer peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4'096> room{};
  ::getpwuid_r(credentials.uid, &entry, room.data(), room.size(), &found);
  return {credentials.uid == ::geteuid() || credentials.uid == 0,
          found != nullptr ? found->pw_name : "user " + std::to_string(credentials.uid)};
}

}  // namespace

class ControlServer::Parts {
 public:
  Parts(std::filesystem::path socket, Handler handler)
      : path_(std::move(socket)), handler_(std::move(handler)), acceptor_(context_) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    const SocketPath address(path_);
    try {
      acceptor_.open();
      // Before it can be reached: bind makes the file with the mode that the socket has.
      if (::fchmod(acceptor_.native_handle(), S_IRUSR | S_IWUSR) != 0)
        throw std::runtime_error("its mode can't be set");
      acceptor_.bind(Socket::endpoint(address.text()));
      if (::chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0)
        throw std::runtime_error("its mode can't be set");
      acceptor_.listen();
    } catch (const std::exception& error) {
      throw std::runtime_error(path_.string() + " can't be listened on: " + error.what());
    }
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Parts() {
    asio::post(context_, [this] {
      acceptor_.close();
      for (const auto& connection : connections_) connection->close();
    });
    handlers_.join();
    asio::post(context_, [this] { work_.reset(); });
    thread_.join();
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

 private:
  /// One peer: a request is read, handled and answered before the next is read.
  class Connection : public std::enable_shared_from_this<Connection> {
   public:
    Connection(Parts& server, Socket::socket socket)
        : server_(server),
          socket_(std::move(socket)),
          silence_(server.context_),
          peer_(peer_of(socket_.native_handle())) {}

    void begin(bool room) {
      if (!peer_.admitted)
        return end_with({ControlProblem::other_user, "this run belongs to another user"});
      if (!room) return end_with({ControlProblem::busy, "too many connections"});
      read();
    }
    void close() {
      std::error_code ignored;
      socket_.close(ignored);
      silence_.cancel();
    }

   private:
    void read() {
      silence_.expires_after(silence_max);
      silence_.async_wait([self = shared_from_this()](std::error_code stopped) {
        if (!stopped) self->leave();
      });
      asio::async_read_until(
          socket_, asio::dynamic_buffer(received_, request_bytes_max + 1), '\n',
          [self = shared_from_this()](std::error_code error, std::size_t length) {
            self->silence_.cancel();
            if (error == asio::error::not_found)
              return self->end_with(
                  {ControlProblem::too_large,
                   "a request has at most " + std::to_string(request_bytes_max) + " bytes"});
            if (error) return self->leave();
            const std::string line = self->received_.substr(0, length - 1);
            self->received_.erase(0, length);
            self->handle(line);
          });
    }

    void handle(const std::string& line) {
      nlohmann::json id;
      auto request = read_request(line, id);
      if (!request) return send(fault_line(id, request.refusal()), false);
      asio::post(server_.handlers_,
                 [self = shared_from_this(), request = std::move(request.value())] {
                   auto text = self->answer(request);
                   asio::post(self->server_.context_, [self, text = std::move(text)]() mutable {
                     self->send(std::move(text), false);
                   });
                 });
    }

    [[nodiscard]] std::string answer(const ControlRequest& request) const {
      try {
        const auto result = server_.handler_(request, peer_.who);
        return result ? answer_line(request.id, result.value())
                      : fault_line(request.id, result.refusal());
      } catch (const std::exception& error) {
        return fault_line(request.id, {ControlProblem::refused, error.what()});
      }
    }

    void end_with(const ControlFault& fault) { send(fault_line(nullptr, fault), true); }

    void send(std::string text, bool last) {
      sent_ = std::move(text);
      asio::async_write(socket_, asio::buffer(sent_),
                        [self = shared_from_this(), last](std::error_code error, std::size_t) {
                          if (error || last)
                            self->leave();
                          else
                            self->read();
                        });
    }

    void leave() {
      close();
      server_.connections_.erase(shared_from_this());
    }

    Parts& server_;
    Socket::socket socket_;
    asio::steady_timer silence_;
    Peer peer_;
    std::string received_, sent_;
  };

  void accept() {
    acceptor_.async_accept([this](std::error_code error, Socket::socket socket) {
      if (!acceptor_.is_open()) return;
      if (!error) {
        const auto connection = std::make_shared<Connection>(*this, std::move(socket));
        connections_.insert(connection);
        connection->begin(connections_.size() <= connections_max);
      }
      accept();
    });
  }

  std::filesystem::path path_;
  Handler handler_;
  asio::io_context context_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      asio::make_work_guard(context_)};
  asio::thread_pool handlers_{2};
  Socket::acceptor acceptor_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::thread thread_;
};

ControlServer::ControlServer(const std::filesystem::path& socket, Handler handler)
    : parts_(std::make_unique<Parts>(socket, std::move(handler))) {}

ControlServer::~ControlServer() = default;

}  // namespace esper
