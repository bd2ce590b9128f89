#pragma once
// `esper sim` and `esper chaos`: seeds and rehearsals, and what they came to.
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/commands.hpp"

namespace esper {

struct SimOptions {
  std::uint64_t seed{1};
  std::string seeds;      ///< "A..B"; "": `seed` alone
  std::string rehearsal;  ///< a file; "": none
  std::uint32_t jobs{0};  ///< 0: as many as there are cores
  bool twice{};
  bool trace{};
  bool hashes{};   ///< of each seed, so that builds can be compared
  bool covered{};  ///< an empty row of the coverage fails
  bool shrink{true};
  bool cluster{};                     ///< several nodes and their rules in place of the actors
  std::vector<std::uint32_t> faults;  ///< of a cluster's seed, by place from 1; none: all of them
};

struct ChaosOptions {
  std::filesystem::path directory;  ///< a living run's
  std::string rehearsal;            ///< a file
  std::uint64_t duration_ms{0};     ///< then all heals; 0: a little after the last fault's end
  std::uint32_t blast{4};           ///< at most so many roles and faults are struck at once
  std::uint64_t recovery_ms{0};     ///< to be well again in; 0: what the config's backoffs need
  bool skip_impossible{};
  OutputFormat output{};
};

/// Injects a rehearsal's faults into a living run of this user, waits until all has healed and the
/// run is well again, and judges its journal. Exit: fine; failed when a fault never struck;
/// invariant when a promise broke; usage for a mistake in the rehearsal, or faults that the run
/// refuses; unreachable when there is no such run, or it ended before the rehearsal did.
[[nodiscard]] ExitCode command_chaos(const ChaosOptions& options);

/// Exit: fine; invariant when one broke or two traces of one seed differ; usage.
[[nodiscard]] ExitCode command_sim(const SimOptions& options);

}  // namespace esper
