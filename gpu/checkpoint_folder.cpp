#include "gpu/checkpoint_folder.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "gpu/checkpoint_header.hpp"
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

}  // namespace

std::string read_checkpoint_file(const fs::path& file, const CheckpointReader& reader) {
  std::ifstream input(file, std::ios::binary);
  if (!input) return file.string() + " cannot be opened";
  const std::string bytes{std::istreambuf_iterator<char>(input), {}};
  if (input.bad()) return file.string() + " cannot be read";
  try {
    const auto parts = parts_of(bytes);
    reader(manifest_of(parts), parts);
    return {};
  } catch (const json::exception&) {
    return file.string() + " is damaged: its header is no JSON of a checkpoint";
  } catch (const std::exception& failure) {
    return file.string() + " " + failure.what();
  }
}

json checkpoint_metadata(const CheckpointManifest& manifest) {
  return {{"format", checkpoint_format},
          {"version", checkpoint_version},
          {"manifest", canonical(manifest)},
          {"sha256", ""}};
}

std::string put_checkpoint(const fs::path& folder, std::uint64_t checkpoint,
                           SafetensorsLayout layout) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return "cannot make the folder " + folder.string() + ": " + error.message();
  layout.header["__metadata__"]["sha256"] = checkpoint_hash(layout.header, layout.data);
  return put_file(folder / file_of(checkpoint), layout, [](const fs::path& part) {
    auto problem = read_checkpoint_file(
        part, [](const auto&, const auto& parts) { static_cast<void>(places_of(parts)); });
    if (problem.empty()) pass(Failpoint::checkpoint_rename);
    return problem;
  });
}

std::vector<CheckpointFound> find_checkpoints(const fs::path& folder) {
  std::vector<CheckpointFound> found;
  for (const auto& file : checkpoint_files(folder)) {
    auto& one = found.emplace_back();
    one.file = file.string();
    one.problem = read_checkpoint_file(file, [&](auto manifest, const auto& parts) {
      static_cast<void>(places_of(parts));
      one.place = std::move(manifest.place);
    });
  }
  return found;
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
