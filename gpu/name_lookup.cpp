#include "gpu/name_lookup.hpp"

#include <future>
#include <thread>

namespace esper {

namespace {

AddressList list_of(const std::string& host, const std::string& port, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* first = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &wanted, &first) != 0) return nullptr;
  return {first, [](addrinfo* list) { ::freeaddrinfo(list); }};
}

}  // namespace

AddressList look_up(const std::string& host, const std::string& port) {
  return list_of(host, port, 0);
}

AddressList addresses_of(const std::string& host, std::uint16_t port,
                         std::chrono::steady_clock::time_point until, const NameLookup& lookup) {
  const auto service = std::to_string(port);
  if (auto read = list_of(host, service, AI_NUMERICHOST)) return read;
  // Not std::async: its future waits for the thread where it goes.
  std::packaged_task<AddressList()> task([=] { return lookup(host, service); });
  auto found = task.get_future();
  std::thread(std::move(task)).detach();
  if (found.wait_until(until) != std::future_status::ready) return nullptr;
  return found.get();
}

}  // namespace esper
