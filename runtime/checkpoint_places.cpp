#include "runtime/checkpoint_places.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include "messages/json.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// The layout of safetensors: eight bytes of length, the lowest first, then a JSON text.
std::optional<CheckpointPlace> place_in(const fs::path& file) {
  constexpr std::uint64_t header_bytes_max = 64 * 1'024 * 1'024;
  std::ifstream input{file, std::ios::binary};
  std::array<unsigned char, 8> bytes{};
  if (!input.read(reinterpret_cast<char*>(bytes.data()), bytes.size())) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) length = length << 8U | bytes[i];
  if (length > header_bytes_max) return std::nullopt;
  std::string text(length, '\0');
  if (!input.read(text.data(), static_cast<std::streamsize>(length))) return std::nullopt;
  try {
    const auto header = nlohmann::json::parse(text);
    const auto manifest = nlohmann::json::parse(
        header.at("__metadata__").at("manifest").get_ref<const std::string&>());
    CheckpointPlace place;
    from_json(manifest.at("place"), place);
    return place;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<PlacedCheckpoint> checkpoint_places(const fs::path& folder) {
  std::vector<PlacedCheckpoint> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{folder, error})
    if (entry.path().extension() == ".safetensors")
      if (const auto place = place_in(entry.path())) found.push_back({entry.path(), *place});
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.place.checkpoint < b.place.checkpoint; });
  return found;
}

}  // namespace esper
