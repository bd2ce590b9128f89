#include "gpu/checkpoint_file.hpp"

#include "gpu/safetensors_file.hpp"

namespace esper {

namespace fs = std::filesystem;

CheckpointRead read_checkpoint(const fs::path& file) {
  CheckpointContent content;
  content.file = file.string();
  auto problem = read_checkpoint_file(file, [&](auto manifest, const auto& parts) {
    content.manifest = std::move(manifest);
    content.tensors = tensors_of(parts);
  });
  if (!problem.empty()) return {{}, std::move(problem)};
  return {std::move(content), {}};
}

std::string write_checkpoint(const fs::path& folder, const CheckpointContent& content) {
  const auto checkpoint = content.manifest.place.checkpoint;
  try {
    return put_checkpoint(folder, checkpoint,
                          lay_out(checkpoint_metadata(content.manifest), content.tensors));
  } catch (const std::exception& failure) {
    return "cannot write checkpoint " + std::to_string(checkpoint) + " into " + folder.string() +
           ": " + failure.what();
  }
}

CheckpointJob job_of(CheckpointContent content) {
  const auto checkpoint = content.manifest.place.checkpoint;
  return {checkpoint, [content = std::move(content)](const fs::path& folder) {
            return write_checkpoint(folder, content);
          }};
}

}  // namespace esper
