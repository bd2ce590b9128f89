// A checkpoint's file, up to its tensors: the layout, the header, the manifest.
// Held: what is refused is refused by an exception that the reader turns into a sentence; tensors
// lie within the file; a manifest that is taken is written and read again the same; of a file that
// is taken no byte can be flipped unseen.
#include "gpu/checkpoint_header.hpp"
#include "messages/json.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace esper {
namespace {

template <typename Read>
bool succeeds(Read&& read) {
  try {
    read();
    return true;
  } catch (const std::runtime_error&) {
  } catch (const nlohmann::json::exception&) {
  }
  return false;
}

void look_at_places(const std::string& bytes) {
  const auto parts = parts_of(bytes);
  for (const auto& place : places_of(parts))
    must(place.bytes.data() >= parts.data.data() &&
             place.bytes.data() + place.bytes.size() <= bytes.data() + bytes.size(),
         "a tensor lies within the file");
}

bool taken(const std::string& bytes) {
  return succeeds([&] {
    const auto text = canonical(manifest_of(parts_of(bytes)));
    must(canonical(parsed<CheckpointManifest>(text)) == text, "a manifest reads back the same");
  });
}

/// The same file with the hash that it should have, so that what stands behind the check is
/// reached; nothing where there is no header to put it in.
std::string rehashed(const std::string& bytes) {
  std::string file;
  (void)succeeds([&] {
    auto parts = parts_of(bytes);
    auto& metadata = parts.header.at("__metadata__");
    if (!metadata.is_object()) return;
    metadata["sha256"] = "";
    metadata["sha256"] = checkpoint_hash(parts.header, {{parts.data.data(), parts.data.size()}});
    const auto text = header_text(parts.header);
    for (std::size_t i = 0; i < safetensors_length_bytes; ++i)
      file += static_cast<char>(text.size() >> (8 * i) & 0xFFU);
    file += text;
    file += parts.data;
  });
  return file;
}

}  // namespace
}  // namespace esper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string file{reinterpret_cast<const char*>(bytes), size};
  (void)esper::succeeds([&] { esper::look_at_places(file); });
  (void)esper::taken(file);
  auto whole = esper::rehashed(file);
  if (!esper::taken(whole)) return 0;
  const auto at = static_cast<std::size_t>(bytes[size - 1]) * whole.size() / 256;
  whole[at] = static_cast<char>(whole[at] ^ 1);
  esper::must(!esper::taken(whole), "a flipped bit is seen");
  return 0;
}
