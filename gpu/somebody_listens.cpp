#include "gpu/somebody_listens.hpp"

#include <memory>
#include <thread>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace esper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look{20};

/// Closed with its owner.
class Socket {
 public:
  explicit Socket(const addrinfo& to)
      : number_(::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                         to.ai_protocol)) {}
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] bool connects(const addrinfo& to, std::chrono::milliseconds patience) const {
    if (number_ < 0) return false;
    if (::connect(number_, to.ai_addr, to.ai_addrlen) == 0) return true;
    pollfd waits{number_, POLLOUT, 0};
    if (::poll(&waits, 1, static_cast<int>(patience.count())) <= 0) return false;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(number_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }

 private:
  int number_;
};

std::chrono::milliseconds left_until(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

}  // namespace

bool somebody_listens(const std::string& host, std::uint16_t port,
                      std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &first) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(first, &::freeaddrinfo);
  while (true) {
    for (const addrinfo* to = all.get(); to != nullptr; to = to->ai_next)
      if (Socket(*to).connects(*to, left_until(until))) return true;
    if (left_until(until).count() == 0) return false;
    std::this_thread::sleep_for(std::min(look, left_until(until)));
  }
}

}  // namespace esper
