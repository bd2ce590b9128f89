#pragma once
// The two optimizers, the host's and a seed's own, never share a parameter.
#include <set>

#include "gpu/live_seed.hpp"

namespace esper {

/// How many parameters some optimizer has that another, or the same, has already.
inline std::size_t shared_parameters(torch::optim::Optimizer& host, const SeedBed& bed) {
  std::set<const void*> owned;
  std::size_t shared = 0;
  const auto own = [&](torch::optim::Optimizer& optimizer) {
    for (const auto& group : optimizer.param_groups())
      for (const auto& parameter : group.params())
        shared += owned.insert(parameter.unsafeGetTensorImpl()).second ? 0 : 1;
  };
  own(host);
  for (const auto& live : bed.seeds())
    if (live->optimizer) own(*live->optimizer);
  return shared;
}

}  // namespace esper
