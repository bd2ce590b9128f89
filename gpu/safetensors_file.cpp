#include "gpu/safetensors_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <unistd.h>

namespace esper {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

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
  throw std::runtime_error("a tensor's type has no name in a file of safetensors");
}

at::ScalarType type_named(std::string_view name) {
  for (const auto& [known, type_name] : type_names)
    if (type_name == name) return known;
  throw std::runtime_error("holds a tensor of an unknown type");
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
std::vector<const NamedTensor*> in_file_order(const std::vector<NamedTensor>& tensors) {
  std::vector<const NamedTensor*> ordered;
  for (const auto& tensor : tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const auto wide_a = a->tensor.element_size(), wide_b = b->tensor.element_size();
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  return ordered;
}

std::string write_part(const fs::path& part, const SafetensorsLayout& layout) {
  const std::string text = header_text(layout.header);
  std::array<unsigned char, safetensors_length_bytes> length{};
  for (std::size_t i = 0; i < safetensors_length_bytes; ++i)
    length.at(i) = static_cast<unsigned char>(text.size() >> (8 * i));
  const Descriptor file(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (!file.open()) return with_cause("cannot create", part, errno);
  bool whole = file.write(length.data(), length.size()) && file.write(text.data(), text.size());
  for (const auto& [bytes, count] : layout.data) whole = whole && file.write(bytes, count);
  if (!whole) return with_cause("cannot write", part, errno);
  return file.sync() ? std::string{} : with_cause("cannot sync", part, errno);
}

}  // namespace

SafetensorsLayout lay_out(json metadata, const std::vector<NamedTensor>& tensors) {
  SafetensorsLayout layout{json::object(), {}};
  layout.header["__metadata__"] = std::move(metadata);
  std::size_t offset = 0;
  for (const NamedTensor* named : in_file_order(tensors)) {
    const at::Tensor& tensor = named->tensor;
    layout.header[named->name] = {{"dtype", name_of_type(tensor.scalar_type())},
                                  {"shape", tensor.sizes().vec()},
                                  {"data_offsets", {offset, offset + tensor.nbytes()}}};
    offset += tensor.nbytes();
    layout.data.emplace_back(tensor.const_data_ptr(), tensor.nbytes());
  }
  return layout;
}

std::vector<NamedTensor> tensors_of(const SafetensorsParts& parts) {
  std::vector<NamedTensor> tensors;
  for (auto& place : places_of(parts)) {
    auto tensor = at::empty(place.shape, type_named(place.type));
    if (!place.bytes.empty())
      std::memcpy(tensor.mutable_data_ptr(), place.bytes.data(), place.bytes.size());
    tensors.push_back({std::move(place.name), std::move(tensor)});
  }
  return tensors;
}

std::string put_file(const fs::path& file, const SafetensorsLayout& layout,
                     const std::function<std::string(const fs::path& part)>& check) {
  const fs::path part = file.string() + std::string{part_suffix};
  std::error_code error;
  std::string problem;
  try {
    problem = write_part(part, layout);
    if (problem.empty() && check) problem = check(part);
  } catch (const std::exception& failure) {
    problem = "cannot write " + part.string() + ": " + failure.what();
  }
  if (problem.empty()) {
    fs::rename(part, file, error);
    if (error) problem = "cannot rename " + part.string() + ": " + error.message();
  }
  if (!problem.empty()) {
    fs::remove(part, error);
    return problem;
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path{"."};
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory.open() || !directory.sync()) return with_cause("cannot sync", folder, errno);
  return {};
}

}  // namespace esper
