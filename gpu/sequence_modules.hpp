#pragma once
// Blueprints of sequences as modules: f of h + a*f(h), [sequences, positions, channels], causal.
#include "gpu/blueprint_modules.hpp"

namespace esper {

/// Builds f with weights from the global stream, which `build` has put at the seed's own.
/// reduced  channels inside a design that has fewer inside; of attention_head its head's
/// Errors: InvariantViolation for a kind of images.
[[nodiscard]] std::shared_ptr<SeedModule> build_for_sequences(const Blueprint& blueprint,
                                                              std::int64_t channels,
                                                              std::int64_t reduced);

}  // namespace esper
