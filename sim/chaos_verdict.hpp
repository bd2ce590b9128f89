#pragma once
// What a journal says of its run's promises: the checkers of simulations that need nothing else,
// and its replay.
#include "messages/audit.hpp"
#include "messages/configuration.hpp"
#include "sim/coverage.hpp"
#include "sim/findings.hpp"

namespace esper::sim {

struct ChaosVerdict {
  std::vector<Violation> violations;  ///< none: every promise held
  Coverage coverage;                  ///< of the turns after `from`
  std::uint64_t turns{};              ///< that were checked: all
};

/// `entries`: the whole journal, from its opening on.
[[nodiscard]] ChaosVerdict judged(const std::vector<JournalEntry>& entries, const RunConfig& config,
                                  Window from);

}  // namespace esper::sim
