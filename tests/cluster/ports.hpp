#pragma once
// Ports of loopback, and who runs on a command line.
#include <cstdint>
#include <filesystem>
#include <string>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/free_port.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

/// The first of as many ports in a row that nobody has now.
[[nodiscard]] inline std::uint16_t free_port_row(int count) {
  while (true) {
    const auto first = free_port();
    int free = 1;
    for (; free < count && first + free <= 65'535; ++free) {
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<std::uint16_t>(first + free));
      const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      ::close(socket);
      if (!bound) break;
    }
    if (free == count) return first;
  }
}

/// Does somebody listen there?
[[nodiscard]] inline bool listens(std::uint32_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool open = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return open;
}

/// The process on whose command line both stand; 0: there is none.
[[nodiscard]] inline pid_t process_with(const std::string& first, const std::string& second) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto line = file_text(entry.path() / "cmdline");
    if (line.find(first) == std::string::npos || line.find(second) == std::string::npos) continue;
    const auto process = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (process > 0 && process != ::getpid()) return process;
  }
  return 0;
}

}  // namespace esper
