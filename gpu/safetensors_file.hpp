#pragma once
// Tensors in files of safetensors (gpu/safetensors_header). Any reader of safetensors opens such a
// file; `__metadata__` in the header is text under names.
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "gpu/put_file.hpp"

namespace esper {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;  ///< contiguous, in the processor's memory
};

/// metadata  a JSON object, its values strings
/// errors    std::runtime_error for a tensor of a type that has no name in the layout
[[nodiscard]] SafetensorsLayout lay_out(nlohmann::json metadata,
                                        const std::vector<NamedTensor>& tensors);

/// Copies. Errors: std::runtime_error for a tensor that does not lie in the data as it says.
[[nodiscard]] std::vector<NamedTensor> tensors_of(const SafetensorsParts& parts);

}  // namespace esper
