#pragma once
// Tensors in files of safetensors (gpu/safetensors_header). Any reader of safetensors opens such a
// file; `__metadata__` in the header is text under names.
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "gpu/safetensors_header.hpp"

namespace esper {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;  ///< contiguous, in the processor's memory
};

/// A file before it is written: the header, and what follows it, in order.
struct SafetensorsLayout {
  nlohmann::json header;
  std::vector<std::pair<const void*, std::size_t>> data;  ///< into the tensors, which must live on
};

/// metadata  a JSON object, its values strings
/// errors    std::runtime_error for a tensor of a type that has no name in the layout
[[nodiscard]] SafetensorsLayout lay_out(nlohmann::json metadata,
                                        const std::vector<NamedTensor>& tensors);

/// Copies. Errors: std::runtime_error for a tensor that does not lie in the data as it says.
[[nodiscard]] std::vector<NamedTensor> tensors_of(const SafetensorsParts& parts);

/// Writes beside the file under a temporary name, syncs, asks `check` about what now lies there
/// (one sentence: it is refused), renames, syncs the folder: after a crash at any moment the folder
/// holds the file whole, as it was before or not at all. Empty: done. Else one sentence, and
/// nothing of the attempt is left.
[[nodiscard]] std::string put_file(
    const std::filesystem::path& file, const SafetensorsLayout& layout,
    const std::function<std::string(const std::filesystem::path& part)>& check = {});

/// What an interrupted put_file leaves ends so.
inline constexpr std::string_view part_suffix = ".part";

}  // namespace esper
