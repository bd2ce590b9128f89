#pragma once
// A finished model as one Python file, which needs PyTorch and no Esper.
#include <string>

#include "runtime/export/model_structure.hpp"

namespace esper {

/// Files of a run's directory, side by side.
inline constexpr const char* model_state_name = "model.safetensors";
inline constexpr const char* model_module_name = "model.py";

/// The module's text. Pure. Errors: InvariantViolation for a host that there is no text for.
[[nodiscard]] std::string python_module(const ModelStructure& structure);

}  // namespace esper
