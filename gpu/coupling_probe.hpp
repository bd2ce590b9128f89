#pragma once
// Is it true what a host says of its coupled groups? Asked of the module itself, before any cut.
#include <optional>

#include "gpu/host_model.hpp"

namespace esper {

/// What is wrong with the description of one group, in one sentence that names the tensor; nothing
/// when it is right. With weights drawn anew, so that nothing is dead by training, and a linear
/// loss, for two channels drawn from `seed`:
///   making   with all entries of dimension 0 of the channel at zero, the gradient of every entry
///            that reads it is exactly zero, and no other gradient becomes so
///   reading  with all entries that read it at zero, the same holds of those that make it; buffers
///            have no gradient and are moved instead
///   slicing  the host cut without the channel computes what it does with the channel masked, in
///            evaluation mode, within 1e-5 of its largest output
/// A unit that happens to die by ReLU looks like a coupling once, so that what is found is drawn
/// again and must persist; and of several faults that would explain it, the one is told whose
/// mending makes the description right.
///
/// copy    a host that nobody trains, on its caller's thread alone; left as it was. Seeds in its
///         slots are passed by
/// inputs  [samples, …] as the host's forward takes them; 8 to 16 samples are enough
[[nodiscard]] std::optional<std::string> coupling_fault(HostModel& copy, const std::string& group,
                                                        const at::Tensor& inputs,
                                                        std::uint64_t seed);

/// The first fault of any group.
[[nodiscard]] std::optional<std::string> coupling_fault(HostModel& copy, const at::Tensor& inputs,
                                                        std::uint64_t seed);

}  // namespace esper
