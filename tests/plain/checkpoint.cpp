#include "tests/plain/checkpoint.hpp"

#include <cstring>

#include "messages/json.hpp"

namespace esper::plain {
namespace {

std::string put(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
  SafetensorsLayout layout{{{"__metadata__", checkpoint_metadata(checkpoint.manifest)}}, {}};
  std::size_t offset = 0;
  const auto add = [&](const std::string& name, const char* type, std::size_t count,
                       const void* bytes, std::size_t size) {
    layout.header[name] = {
        {"dtype", type}, {"shape", {count}}, {"data_offsets", {offset, offset + size}}};
    layout.data.emplace_back(bytes, size);
    offset += size;
  };
  for (std::size_t region = 0; region < checkpoint.weights.size(); ++region) {
    const auto& weights = checkpoint.weights[region];
    add("weights." + std::to_string(region), "F64", weights.size(), weights.data(),
        weights.size() * sizeof(double));
  }
  const std::string turns = canonical(checkpoint.memory);
  add("turns", "U8", turns.size(), turns.data(), turns.size());
  return put_checkpoint(folder, checkpoint.manifest.place.checkpoint, std::move(layout));
}

}  // namespace

CheckpointJob job_of(Checkpoint checkpoint) {
  const auto number = checkpoint.manifest.place.checkpoint;
  return {number, [checkpoint = std::move(checkpoint)](const std::filesystem::path& folder) {
            return put(folder, checkpoint);
          }};
}

Checkpoint read(const std::filesystem::path& file) {
  Checkpoint checkpoint;
  const auto problem = read_checkpoint_file(file, [&](auto manifest, const auto& parts) {
    checkpoint.manifest = std::move(manifest);
    for (const auto& tensor : places_of(parts)) {
      if (tensor.name == "turns") {
        checkpoint.memory = parsed<PlainMemory>(std::string{tensor.bytes});
        continue;
      }
      auto& weights = checkpoint.weights.emplace_back(tensor.bytes.size() / sizeof(double));
      std::memcpy(weights.data(), tensor.bytes.data(), tensor.bytes.size());
    }
  });
  if (!problem.empty()) throw std::runtime_error(problem);
  return checkpoint;
}

}  // namespace esper::plain
