#pragma once
// What a trainer saw, line by line, in a file beside the run: a witness that no journal wrote. A
// line is with the system when `tell` returns, so that a killed process has told it.
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace esper::plain {

/// Names the witness's file; without it there is none.
inline constexpr const char* witness_variable = "ESPER_PLAIN_WITNESS";

class Witness {
 public:
  Witness() {
    constexpr mode_t readable = 0644;
    if (const char* path = std::getenv(witness_variable); path != nullptr)
      file_ = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, readable);
  }
  ~Witness() {
    if (file_ >= 0) ::close(file_);
  }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  void tell(std::string line) const {
    line += '\n';
    if (file_ >= 0) [[maybe_unused]]
      const auto written = ::write(file_, line.data(), line.size());
  }

 private:
  int file_{-1};
};

}  // namespace esper::plain
