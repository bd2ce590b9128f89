#include "gpu/table_connection.hpp"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gpu/name_lookup.hpp"

namespace esper {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds look{20};  // how soon it is seen that a call was given up

milliseconds left_until(TableConnection::Clock::time_point until) {
  const auto left = std::chrono::duration_cast<milliseconds>(until - TableConnection::Clock::now());
  return std::max(left, milliseconds{0});
}

TableConnection::Found connects(int socket, const addrinfo& to, milliseconds patience) {
  using Found = TableConnection::Found;
  int error = ::connect(socket, to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd waits{socket, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (::poll(&waits, 1, static_cast<int>(patience.count())) <= 0 ||
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
      return Found::silent;
  }
  if (error == 0) return Found::open;
  return error == ECONNREFUSED ? Found::refused : Found::silent;
}

}  // namespace

TableConnection::~TableConnection() {
  if (socket_ >= 0) ::close(socket_);
}

TableConnection::Found TableConnection::open(const std::string& host, std::uint16_t port,
                                             Clock::time_point until) {
  const AddressList all = addresses_of(host, port, until);
  if (!all) return Found::silent;
  Found worst = Found::refused;
  for (const addrinfo* to = all.get(); to != nullptr; to = to->ai_next) {
    const int one =
        ::socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
    const Found found = one < 0 ? Found::silent : connects(one, *to, left_until(until));
    if (found == Found::open) {
      const int on = 1;
      ::setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      socket_ = one;
      return found;
    }
    if (one >= 0) ::close(one);
    if (found == Found::silent) worst = found;
  }
  return worst;
}

void TableConnection::await(short events, Clock::time_point until) const {
  while (true) {
    if (given_up_) throw TableGone("nobody waits for it any more");
    pollfd waits{socket_, events, 0};
    const milliseconds left = left_until(until);
    const int ready = ::poll(&waits, 1, static_cast<int>(std::min(look, left).count()));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw TableGone("its connection cannot be read");
    if (left.count() == 0) throw TableGone("no answer in time");
  }
}

void TableConnection::send(const std::string& bytes, Clock::time_point until) const {
  for (std::size_t sent = 0; sent < bytes.size();) {
    await(POLLOUT, until);
    const auto now =
        ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (now < 0 && errno != EAGAIN && errno != EINTR) throw TableGone("its connection has ended");
    sent += now > 0 ? static_cast<std::size_t>(now) : 0;
  }
}

void TableConnection::receive(char* bytes, std::size_t count, Clock::time_point until) const {
  for (std::size_t have = 0; have < count;) {
    await(POLLIN, until);
    const auto now = ::recv(socket_, bytes + have, count - have, MSG_DONTWAIT);
    if (now == 0 || (now < 0 && errno != EAGAIN && errno != EINTR))
      throw TableGone("its connection has ended");
    have += now > 0 ? static_cast<std::size_t>(now) : 0;
  }
}

TableAnswer TableConnection::call(const TableRequest& request, Clock::time_point until) try {
  if (!broken_.empty()) throw TableGone(broken_);
  send(frame_of(request), until);
  TableHeader header{};
  receive(header.data(), header.size(), until);
  const TableHeaderFields fields = fields_of(header);
  if (fields.first > table_value_max || fields.second != 0)
    throw TableGone("what answers is no table");
  TableAnswer answer{static_cast<TableStatus>(fields.kind), fields.number,
                     std::string(fields.first, '\0')};
  receive(answer.bytes.data(), answer.bytes.size(), until);
  return answer;
} catch (const TableGone& gone) {
  broken_ = gone.what();  // a late answer would be taken for the next call's
  throw;
}

}  // namespace esper
