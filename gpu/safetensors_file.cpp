#include "gpu/safetensors_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <ATen/ops/empty.h>

namespace esper {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<at::ScalarType, std::string_view>, 10> type_names{
    {{at::kDouble, "F64"},
     {at::kLong, "I64"},
     {at::kFloat, "F32"},
     {at::kInt, "I32"},
     {at::kHalf, "F16"},
     {at::kBFloat16, "BF16"},
     {at::kShort, "I16"},
     {at::kChar, "I8"},
     {at::kByte, "U8"},
     {at::kBool, "BOOL"}}};

std::string_view name_of_type(at::ScalarType type) {
  for (const auto& [known, name] : type_names)
    if (known == type) return name;
  throw std::runtime_error("a tensor's type has no name in a file of safetensors");
}

at::ScalarType type_named(std::string_view name) {
  for (const auto& [known, type_name] : type_names)
    if (type_name == name) return known;
  throw std::runtime_error("holds a tensor of an unknown type");
}

/// Wide types first: each tensor then begins at a multiple of its own width.
std::vector<const NamedTensor*> in_file_order(const std::vector<NamedTensor>& tensors) {
  std::vector<const NamedTensor*> ordered;
  for (const auto& tensor : tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const auto wide_a = a->tensor.element_size(), wide_b = b->tensor.element_size();
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  return ordered;
}

}  // namespace

SafetensorsLayout lay_out(json metadata, const std::vector<NamedTensor>& tensors) {
  SafetensorsLayout layout{json::object(), {}};
  layout.header["__metadata__"] = std::move(metadata);
  std::size_t offset = 0;
  for (const NamedTensor* named : in_file_order(tensors)) {
    const at::Tensor& tensor = named->tensor;
    layout.header[named->name] = {{"dtype", name_of_type(tensor.scalar_type())},
                                  {"shape", tensor.sizes().vec()},
                                  {"data_offsets", {offset, offset + tensor.nbytes()}}};
    offset += tensor.nbytes();
    layout.data.emplace_back(tensor.const_data_ptr(), tensor.nbytes());
  }
  return layout;
}

std::vector<NamedTensor> tensors_of(const SafetensorsParts& parts) {
  std::vector<NamedTensor> tensors;
  for (auto& place : places_of(parts)) {
    auto tensor = at::empty(place.shape, type_named(place.type));
    if (!place.bytes.empty())
      std::memcpy(tensor.mutable_data_ptr(), place.bytes.data(), place.bytes.size());
    tensors.push_back({std::move(place.name), std::move(tensor)});
  }
  return tensors;
}

}  // namespace esper
