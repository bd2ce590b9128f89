#pragma once
// A failing simulation made smaller: fewer faults, fewer regions, shorter, while it still fails
// with the same invariant.
#include <functional>

#include "sim/rehearsal.hpp"

namespace esper::sim {

struct Shrunk {
  Rehearsal rehearsal;  ///< replays it: `esper sim --rehearsal FILE`
  SimulationResult result;
  std::uint32_t runs{};
};

/// `failed`: the run to start from, which failed. At most `runs_max` further simulations.
[[nodiscard]] Shrunk shrink(const Rehearsal& from, const SimulationResult& failed,
                            std::uint32_t runs_max);

/// The seed's own run as a rehearsal.
[[nodiscard]] Rehearsal rehearsal_of(const SimulationOptions& options,
                                     const SimulationResult& result);

}  // namespace esper::sim
