#pragma once
// A host's addresses, waited for no longer than until an instant: a name server that is cut off
// lets getaddrinfo stand for tens of seconds.
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <netdb.h>

namespace esper {

using AddressList = std::shared_ptr<const addrinfo>;  ///< null: none

/// As getaddrinfo: nothing found, null. May take as long as it likes.
using NameLookup = std::function<AddressList(const std::string& host, const std::string& port)>;

[[nodiscard]] AddressList look_up(const std::string& host, const std::string& port);

/// An address is read at once; a name is looked up on a thread of its own, which is left behind
/// when it is late and ends with the lookup. Null: not known by then.
[[nodiscard]] AddressList addresses_of(const std::string& host, std::uint16_t port,
                                       std::chrono::steady_clock::time_point until,
                                       const NameLookup& lookup = look_up);

}  // namespace esper
