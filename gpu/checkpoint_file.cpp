#include "gpu/checkpoint_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "gpu/checkpoint_header.hpp"
#include "gpu/safetensors_file.hpp"
#include "messages/failpoint.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view prefix = "checkpoint-", suffix = ".safetensors";

fs::path file_of(std::uint64_t checkpoint) {
  constexpr std::size_t digits = 8;
  std::string number = std::to_string(checkpoint);
  if (number.size() < digits) number.insert(0, digits - number.size(), '0');
  return std::string{prefix} + number + std::string{suffix};
}

SafetensorsLayout layout_of(const CheckpointContent& content) {
  auto layout = lay_out({{"format", checkpoint_format},
                         {"version", checkpoint_version},
                         {"manifest", canonical(content.manifest)},
                         {"sha256", ""}},
                        content.tensors);
  layout.header["__metadata__"]["sha256"] = checkpoint_hash(layout.header, layout.data);
  return layout;
}

/// Throws std::runtime_error or one of nlohmann's exceptions, without the path.
CheckpointContent parse(const std::string& bytes) {
  const auto parts = parts_of(bytes);
  CheckpointContent content;
  content.manifest = manifest_of(parts);
  content.tensors = tensors_of(parts);
  return content;
}

}  // namespace

CheckpointRead read_checkpoint(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input) return {{}, file.string() + " cannot be opened"};
  const std::string bytes{std::istreambuf_iterator<char>(input), {}};
  if (input.bad()) return {{}, file.string() + " cannot be read"};
  try {
    CheckpointRead read{parse(bytes), {}};
    read.content->file = file.string();
    return read;
  } catch (const json::exception&) {
    return {{}, file.string() + " is damaged: its header is no JSON of a checkpoint"};
  } catch (const std::exception& failure) {
    return {{}, file.string() + " " + failure.what()};
  }
}

std::string write_checkpoint(const fs::path& folder, const CheckpointContent& content) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return "cannot make the folder " + folder.string() + ": " + error.message();
  const fs::path file = folder / file_of(content.manifest.place.checkpoint);
  try {
    return put_file(file, layout_of(content), [](const fs::path& part) {
      auto problem = read_checkpoint(part).problem;
      if (problem.empty()) pass(Failpoint::checkpoint_rename);
      return problem;
    });
  } catch (const std::exception& failure) {
    return "cannot write " + file.string() + ": " + failure.what();
  }
}

std::vector<fs::path> checkpoint_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix)) files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());  // numbers have leading zeros
  return files;
}

std::vector<CheckpointFound> find_checkpoints(const fs::path& folder) {
  std::vector<CheckpointFound> found;
  for (const auto& file : checkpoint_files(folder)) {
    auto read = read_checkpoint(file);
    auto& one = found.emplace_back();
    one.file = file.string();
    if (read.content) one.place = std::move(read.content->manifest.place);
    one.problem = std::move(read.problem);
  }
  return found;
}

void keep_newest(const fs::path& folder, std::size_t keep) {
  auto files = checkpoint_files(folder);
  if (files.size() <= keep) return;
  files.resize(files.size() - keep);
  std::error_code error;  // what stays is tried again after the next one
  for (const auto& file : files) fs::remove(file, error);
}

void remove_leftovers(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> parts;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(part_suffix)) parts.push_back(entry->path());
  }
  for (const auto& part : parts) fs::remove(part, error);
}

}  // namespace esper
