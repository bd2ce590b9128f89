#pragma once
// `esper sim`: seeds and rehearsals, and what they came to.
#include <cstdint>
#include <string>

#include "runtime/commands.hpp"

namespace esper {

struct SimOptions {
  std::uint64_t seed{1};
  std::string seeds;      ///< "A..B"; "": `seed` alone
  std::string rehearsal;  ///< a file; "": none
  std::uint32_t jobs{0};  ///< 0: as many as there are cores
  bool twice{};
  bool trace{};
  bool shrink{true};
};

/// Exit: fine; invariant when one broke or two traces of one seed differ; usage.
[[nodiscard]] ExitCode command_sim(const SimOptions& options);

}  // namespace esper
