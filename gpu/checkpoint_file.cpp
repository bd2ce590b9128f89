#include "gpu/checkpoint_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

#include "gpu/sha256.hpp"
#include "messages/failpoint.hpp"
#include "messages/json.hpp"

namespace esper {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view version = "2";
constexpr std::string_view prefix = "checkpoint-", suffix = ".safetensors", part_suffix = ".part";
constexpr std::size_t length_bytes = 8;

constexpr std::array<std::pair<at::ScalarType, std::string_view>, 10> type_names{
    {{at::kDouble, "F64"},
     {at::kLong, "I64"},
     {at::kFloat, "F32"},
     {at::kInt, "I32"},
     {at::kHalf, "F16"},
     {at::kBFloat16, "BF16"},
     {at::kShort, "I16"},
     {at::kChar, "I8"},
     {at::kByte, "U8"},
     {at::kBool, "BOOL"}}};

std::string_view name_of_type(at::ScalarType type) {
  for (const auto& [known, name] : type_names)
    if (known == type) return name;
  throw std::runtime_error("a tensor's type has no name in a checkpoint");
}

std::optional<at::ScalarType> type_named(std::string_view name) {
  for (const auto& [known, type_name] : type_names)
    if (type_name == name) return known;
  return std::nullopt;
}

fs::path file_of(std::uint64_t checkpoint) {
  constexpr std::size_t digits = 8;
  std::string number = std::to_string(checkpoint);
  if (number.size() < digits) number.insert(0, digits - number.size(), '0');
  return std::string{prefix} + number + std::string{suffix};
}

/// The header's text, its length a multiple of 8, so that wide tensors lie aligned.
std::string header_text(const json& header) {
  std::string text = header.dump();
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  return text;
}

std::string hash_of(json header, const std::vector<std::pair<const void*, std::size_t>>& data) {
  header["__metadata__"]["sha256"] = "";
  Sha256 digest;
  const std::string text = header_text(header);
  digest.add(text.data(), text.size());
  for (const auto& [bytes, count] : data) digest.add(bytes, count);
  return digest.finish();
}

std::string with_cause(const std::string& what, const fs::path& path, int error) {
  return what + " " + path.string() + ": " + std::strerror(error);
}

/// A file descriptor that closes itself; -1: none.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : number_(::open(path.c_str(), flags, 0644)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] bool open() const { return number_ >= 0; }
  [[nodiscard]] bool write(const void* bytes, std::size_t count) const {
    const char* next = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t written = ::write(number_, next, count);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      next += written;
      count -= static_cast<std::size_t>(written);
    }
    return true;
  }
  /// Also lets go of the cached pages, so that reading back asks the disk.
  [[nodiscard]] bool sync() const {
    if (::fsync(number_) != 0) return false;
    (void)::posix_fadvise(number_, 0, 0, POSIX_FADV_DONTNEED);
    return true;
  }

 private:
  int number_;
};

/// Wide types first: each tensor then begins at a multiple of its own width.
std::vector<const NamedTensor*> in_file_order(const CheckpointContent& content) {
  std::vector<const NamedTensor*> ordered;
  for (const auto& tensor : content.tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const auto wide_a = a->tensor.element_size(), wide_b = b->tensor.element_size();
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  return ordered;
}

std::string write_part(const fs::path& part, const CheckpointContent& content) {
  json header = json::object();
  header["__metadata__"] = {{"format", "esper checkpoint"},
                            {"version", version},
                            {"manifest", canonical(content.manifest)},
                            {"sha256", ""}};
  std::vector<std::pair<const void*, std::size_t>> data;
  std::size_t offset = 0;
  for (const NamedTensor* named : in_file_order(content)) {
    const at::Tensor& tensor = named->tensor;
    header[named->name] = {{"dtype", name_of_type(tensor.scalar_type())},
                           {"shape", tensor.sizes().vec()},
                           {"data_offsets", {offset, offset + tensor.nbytes()}}};
    offset += tensor.nbytes();
    data.emplace_back(tensor.const_data_ptr(), tensor.nbytes());
  }
  header["__metadata__"]["sha256"] = hash_of(header, data);
  const std::string text = header_text(header);
  std::array<unsigned char, length_bytes> length{};
  for (std::size_t i = 0; i < length_bytes; ++i)
    length.at(i) = static_cast<unsigned char>(text.size() >> (8 * i));
  const Descriptor file(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (!file.open()) return with_cause("cannot create", part, errno);
  bool whole = file.write(length.data(), length.size()) && file.write(text.data(), text.size());
  for (const auto& [bytes, count] : data) whole = whole && file.write(bytes, count);
  if (!whole) return with_cause("cannot write", part, errno);
  return file.sync() ? std::string{} : with_cause("cannot sync", part, errno);
}

/// Throws std::runtime_error or one of nlohmann's exceptions, without the path.
CheckpointContent parse(const std::string& bytes) {
  const auto damaged = [](const char* how) { return std::runtime_error(how); };
  std::uint64_t length = 0;
  if (bytes.size() < length_bytes) throw damaged("is cut off");
  for (std::size_t i = 0; i < length_bytes; ++i)
    length |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  if (length > bytes.size() - length_bytes) throw damaged("is cut off");
  const std::string_view text = std::string_view{bytes}.substr(length_bytes, length);
  const std::string_view data = std::string_view{bytes}.substr(length_bytes + length);
  const json header = json::parse(text);
  const auto& metadata = header.at("__metadata__");
  if (metadata.at("format") != "esper checkpoint") throw damaged("is no checkpoint of ours");
  if (metadata.at("version") != version)
    throw std::runtime_error("is a checkpoint of version " +
                             metadata.at("version").get<std::string>() + ", not " +
                             std::string{version});
  // The text itself: what a parser passes over (spaces, doubled keys) may not differ either.
  if (text != header_text(header) ||
      metadata.at("sha256") != hash_of(header, {{data.data(), data.size()}}))
    throw damaged("is damaged: its SHA-256 is another one");
  CheckpointContent content;
  content.manifest = parsed<CheckpointManifest>(metadata.at("manifest").get<std::string>());
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto type = type_named(entry.at("dtype").get<std::string>());
    const auto begin = entry.at("data_offsets").at(0).get<std::size_t>();
    const auto end = entry.at("data_offsets").at(1).get<std::size_t>();
    if (!type || begin > end || end > data.size()) throw damaged("describes a tensor wrongly");
    auto tensor = at::empty(entry.at("shape").get<std::vector<std::int64_t>>(), *type);
    if (tensor.nbytes() != end - begin) throw damaged("describes a tensor wrongly");
    if (end > begin) std::memcpy(tensor.mutable_data_ptr(), data.data() + begin, end - begin);
    content.tensors.push_back({name, std::move(tensor)});
  }
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
  const fs::path name = file_of(content.manifest.place.checkpoint);
  const fs::path part = folder / (name.string() + std::string{part_suffix});
  std::string problem;
  try {
    problem = write_part(part, content);
    if (problem.empty()) problem = read_checkpoint(part).problem;
  } catch (const std::exception& failure) {
    problem = "cannot write " + part.string() + ": " + failure.what();
  }
  if (problem.empty()) {
    pass(Failpoint::checkpoint_rename);
    fs::rename(part, folder / name, error);
    if (error) problem = "cannot rename " + part.string() + ": " + error.message();
  }
  if (!problem.empty()) {
    fs::remove(part, error);
    return problem;
  }
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory.open() || !directory.sync()) return with_cause("cannot sync", folder, errno);
  return {};
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
