#include "gpu/checkpoint_header.hpp"

#include <stdexcept>

#include "gpu/sha256.hpp"
#include "messages/json.hpp"

namespace esper {

using nlohmann::json;

std::string checkpoint_hash(json header,
                            const std::vector<std::pair<const void*, std::size_t>>& data) {
  header["__metadata__"]["sha256"] = "";
  Sha256 digest;
  const std::string text = header_text(header);
  digest.add(text.data(), text.size());
  for (const auto& [bytes, count] : data) digest.add(bytes, count);
  return digest.finish();
}

CheckpointManifest manifest_of(const SafetensorsParts& parts) {
  const auto& metadata = parts.header.at("__metadata__");
  if (metadata.at("format") != checkpoint_format)
    throw std::runtime_error("is no checkpoint of ours");
  if (metadata.at("version") != checkpoint_version)
    throw std::runtime_error("is a checkpoint of version " +
                             metadata.at("version").get<std::string>() + ", not " +
                             std::string{checkpoint_version});
  // The text itself: what a parser passes over (spaces, doubled keys) may not differ either.
  if (parts.header_text != header_text(parts.header) ||
      metadata.at("sha256") !=
          checkpoint_hash(parts.header, {{parts.data.data(), parts.data.size()}}))
    throw std::runtime_error("is damaged: its SHA-256 is another one");
  return parsed<CheckpointManifest>(metadata.at("manifest").get<std::string>());
}

}  // namespace esper
