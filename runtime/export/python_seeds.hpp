#pragma once
// The designs of seeds as PyTorch modules, their parameters named as the trainer names them.
#include <string>

#include "runtime/export/model_structure.hpp"

namespace esper {

/// The classes of all designs in the model, each once, two blank lines before each.
[[nodiscard]] std::string seed_classes(const ModelStructure& structure);

/// "LowRank(16, 4)": an expression that builds f for one slot.
[[nodiscard]] std::string built_seed(const SeedStructure& seed);

/// One module per slot, for the host's constructor; empty without seeds.
[[nodiscard]] std::string seed_members(const ModelStructure& structure);

/// After a point slot: a line of the forward pass that adds the seed to `stream`; empty where
/// nothing stands.
[[nodiscard]] std::string after_point(const ModelStructure& structure, const std::string& slot,
                                      const std::string& stream);

/// Beside a branch slot's layer: " + alpha * f(input)"; empty where nothing stands.
[[nodiscard]] std::string beside_branch(const ModelStructure& structure, const std::string& slot,
                                        const std::string& input);

}  // namespace esper
