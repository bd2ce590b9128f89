#pragma once
// How the host does on the gate split, with whatever its slots do at the moment.
#include "gpu/host_model.hpp"
#include "gpu/session_data.hpp"

namespace esper {

struct GateScore {
  double loss{};      ///< nats per sample
  double accuracy{};  ///< share correct, [0, 1]; 0 when the loop gives no score
};

/// One pass over `batch`, in batches of the training's size: activations of a thousand samples at
/// once leave the caches and are memory that the system hands out page by page (measured: 2.4 times
/// slower). The caller sets evaluation mode and switches gradients off.
[[nodiscard]] GateScore gate_score(HostModel& host, const SessionData& data, const Batch& batch);

}  // namespace esper
