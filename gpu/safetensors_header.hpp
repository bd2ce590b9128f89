#pragma once
// How a file of safetensors says what it holds: an 8-byte little-endian length, a JSON header, then
// the tensors' bytes. No LibTorch here, so that damaged files are tried without it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace esper {

/// Of the length that a file begins with.
inline constexpr std::size_t safetensors_length_bytes = 8;

/// The header's text, its length a multiple of 8, so that wide tensors lie aligned.
[[nodiscard]] std::string header_text(const nlohmann::json& header);

/// A file that was read: views into its bytes.
struct SafetensorsParts {
  std::string_view header_text, data;
  nlohmann::json header;
};

/// Errors: std::runtime_error "is cut off" or "nests too deep", or one of nlohmann's exceptions.
[[nodiscard]] SafetensorsParts parts_of(const std::string& bytes);

/// What the header says of one tensor.
struct TensorPlace {
  std::string name;
  std::string type;  ///< the layout's name for it, as F32
  std::vector<std::int64_t> shape;
  std::string_view bytes;  ///< within the data: exactly what type and shape ask for
};

/// All but `__metadata__`, in order of names. Allocates nothing by the sizes that are told.
/// Errors: std::runtime_error for a tensor that does not lie in the data as it says, or one of
/// nlohmann's exceptions.
[[nodiscard]] std::vector<TensorPlace> places_of(const SafetensorsParts& parts);

}  // namespace esper
