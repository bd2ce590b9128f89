#pragma once
// Batch norms after surgery: what they read has changed, and their running statistics have not.
#include "gpu/host_model.hpp"
#include "gpu/session_data.hpp"

namespace esper {

/// Every batch norm's running statistics become those of `batch`, in one forward pass without a
/// graph in which nothing else is in training mode, so that nothing is drawn. They go on from there
/// as training does. (Statistics of fewer channels behind, a cut network is worse than it need be.)
/// source  as re-estimated for averaged weights: Izmailov et al. 2018, arXiv:1803.05407,
/// section 3.2
void refresh_norms(HostModel& host, const Batch& batch);

}  // namespace esper
