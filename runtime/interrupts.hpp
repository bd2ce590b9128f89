#pragma once
// SIGINT and SIGTERM: the first asks the run to end, the second ends the process. SIGPIPE: ignored.
#include <atomic>

namespace esper {

/// Becomes true at the first signal. Signals are caught from the first call on. A second signal
/// ends the process at once with exit code 130; what was appended to the journal stays readable.
[[nodiscard]] const std::atomic<bool>& stop_on_signals();

}  // namespace esper
