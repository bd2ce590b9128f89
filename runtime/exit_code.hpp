#pragma once
// What the process says when it ends; the same numbers for every command.
#include <cstdint>

namespace esper {

enum class ExitCode : std::uint8_t {
  fine = 0,
  failed = 1,
  usage = 2,        ///< command line or config
  degraded = 3,     ///< ended well, but a role gave up or lockstep fell to free
  unreachable = 4,  ///< or timed out
  invariant = 5,    ///< one of the promises broke
  interrupted = 130,
};

constexpr int number_of(ExitCode code) { return static_cast<int>(code); }

}  // namespace esper
