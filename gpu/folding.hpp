#pragma once
// A scaffold's exact way out: its function absorbed into the convolution that it stands beside.
#include "gpu/live_seed.hpp"
#include "gpu/session_data.hpp"

namespace esper {

struct Folding {
  CommandRefusal refusal{CommandRefusal::none};
  std::string detail;
  double output_change{};      ///< of the logits, Euclidean, relative; evaluation mode, gate split
  std::uint64_t operations{};  ///< what looking cost
};

/// Adds alpha·f of a frozen scaffold to the host's own weights: W(x) + b + alpha f(x), where f is
/// affine in the channels at each position, is a convolution with another centre tap and bias. A
/// convolution without bias leaves the shift to the batch norm right behind it, which takes it off
/// its running mean. Weights change in place, so their moments stay. The seed is then at alpha 0.
/// A refusal leaves everything bit for bit as it was.
/// Errors: not_foldable (no branch slot, no such convolution there, f not affine or drawing random
/// numbers, nothing to take the shift), output_changed (by more than `change_max` on the gate
/// split, or not finite).
/// source  the algebra of Ding et al. 2021, arXiv:2101.03697
[[nodiscard]] Folding fold_into_host(HostModel& host, SeedBed& bed, LiveSeed& live,
                                     const SessionData& data, std::uint32_t samples,
                                     double change_max);

}  // namespace esper
