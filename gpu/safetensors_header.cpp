#include "gpu/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "messages/json_depth.hpp"

namespace esper {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 10> type_widths{{{"F64", 8},
                                                                                  {"I64", 8},
                                                                                  {"F32", 4},
                                                                                  {"I32", 4},
                                                                                  {"F16", 2},
                                                                                  {"BF16", 2},
                                                                                  {"I16", 2},
                                                                                  {"I8", 1},
                                                                                  {"U8", 1},
                                                                                  {"BOOL", 1}}};

std::optional<std::uint64_t> width_of(std::string_view type) {
  for (const auto& [name, width] : type_widths)
    if (name == type) return width;
  return std::nullopt;
}

/// Bytes of a tensor; none where strides or size are past what an index can say.
std::optional<std::uint64_t> size_of(const std::vector<std::int64_t>& shape, std::uint64_t width) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t stride = width;
  bool empty = false;
  for (const auto length : shape) {
    if (length < 0) return std::nullopt;
    empty |= length == 0;
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(length, 1));
    if (stride > largest / factor) return std::nullopt;
    stride *= factor;
  }
  return empty ? 0 : stride;
}

}  // namespace

std::string header_text(const json& header) {
  constexpr auto multiple = safetensors_length_bytes;
  std::string text = header.dump();
  text.resize((text.size() + multiple - 1) / multiple * multiple, ' ');
  return text;
}

SafetensorsParts parts_of(const std::string& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < safetensors_length_bytes) throw std::runtime_error("is cut off");
  for (std::size_t i = 0; i < safetensors_length_bytes; ++i)
    length |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  if (length > bytes.size() - safetensors_length_bytes) throw std::runtime_error("is cut off");
  SafetensorsParts parts;
  parts.header_text = std::string_view{bytes}.substr(safetensors_length_bytes, length);
  parts.data = std::string_view{bytes}.substr(safetensors_length_bytes + length);
  if (nesting_of(parts.header_text) > json_depth_max) throw std::runtime_error("nests too deep");
  parts.header = json::parse(parts.header_text);
  return parts;
}

std::vector<TensorPlace> places_of(const SafetensorsParts& parts) {
  std::vector<TensorPlace> places;
  for (const auto& [name, entry] : parts.header.items()) {
    if (name == "__metadata__") continue;
    TensorPlace place{name,
                      entry.at("dtype").get<std::string>(),
                      entry.at("shape").get<std::vector<std::int64_t>>(),
                      {}};
    const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
    const auto end = entry.at("data_offsets").at(1).get<std::uint64_t>();
    const auto width = width_of(place.type);
    if (!width || begin > end || end > parts.data.size() ||
        size_of(place.shape, *width) != end - begin)
      throw std::runtime_error("describes a tensor wrongly");
    place.bytes = parts.data.substr(begin, end - begin);
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace esper
