#pragma once
// Urabrask's bench: a blueprint's risk, measured on the module itself.
#include "gpu/seed_slot.hpp"

namespace esper {

/// Measures h + f(h) for a blueprint in one slot. Probes and weights come from generators of its
/// own, seeded; the global stream is left as it was.
///   gains       on batches of noise, of images as a layer with ReLU would send it, of sequences
///               as a residual stream is, scaled up 1, 10 and 100
///   non-finite  on zeros, a constant and noise of 1e6, forward and backward
///   confidence  share of the probes whose own risk lies within 0.1 of the sheet's
/// slot               index of the slot in its host, written on the sheet
/// region_parameters  of the slot's region: its bytes are what the seed's are compared with
/// A sheet with anything non-finite is quarantined.
[[nodiscard]] RiskSheet assay(const Blueprint& blueprint, SlotId slot,
                              const SlotDescription& description, std::uint64_t region_parameters,
                              std::uint64_t seed, const ModuleBuilder& builder = build);

}  // namespace esper
