#include "gpu/state_text.hpp"

#include "gpu/checkpoint_folder.hpp"
#include "messages/json.hpp"

namespace esper {

std::string text_of(const CheckpointContent& content) {
  const SafetensorsLayout layout = lay_out(checkpoint_metadata(content.manifest), content.tensors);
  const std::string header = header_text(layout.header);
  std::string text;
  for (std::size_t i = 0; i < safetensors_length_bytes; ++i)
    text.push_back(static_cast<char>((std::uint64_t{header.size()} >> (8 * i)) & 0xffU));
  text += header;
  for (const auto& [bytes, count] : layout.data)
    text.append(static_cast<const char*>(bytes), count);
  return text;
}

CheckpointContent content_of(const std::string& text) {
  const SafetensorsParts parts = parts_of(text);
  CheckpointContent content;
  content.file = "the state of another replica";
  content.manifest =
      parsed<CheckpointManifest>(parts.header.at("__metadata__").at("manifest").get<std::string>());
  content.tensors = tensors_of(parts);
  return content;
}

}  // namespace esper
