#include "gpu/put_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "messages/failpoint.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

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

std::string write_part(const fs::path& part, const SafetensorsLayout& layout) {
  const std::string text = header_text(layout.header);
  std::array<unsigned char, safetensors_length_bytes> length{};
  for (std::size_t i = 0; i < safetensors_length_bytes; ++i)
    length.at(i) = static_cast<unsigned char>(text.size() >> (8 * i));
  const Descriptor file(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (!file.open()) return with_cause("cannot create", part, errno);
  bool whole = file.write(length.data(), length.size()) && file.write(text.data(), text.size());
  for (std::size_t i = 0; i < layout.data.size(); ++i) {
    if (i == layout.data.size() / 2) pass(Failpoint::checkpoint_half);
    whole = whole && file.write(layout.data[i].first, layout.data[i].second);
  }
  if (!whole) return with_cause("cannot write", part, errno);
  pass(Failpoint::checkpoint_sync);
  if (!file.sync()) return with_cause("cannot sync", part, errno);
  pass(Failpoint::checkpoint_synced);
  return {};
}

}  // namespace

std::string put_file(const fs::path& file, const SafetensorsLayout& layout,
                     const std::function<std::string(const fs::path& part)>& check) {
  const fs::path part = file.string() + std::string{part_suffix};
  std::error_code error;
  std::string problem;
  pass(Failpoint::checkpoint_begin);
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
  pass(Failpoint::checkpoint_renamed);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path{"."};
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory.open() || !directory.sync()) return with_cause("cannot sync", folder, errno);
  return {};
}

}  // namespace esper
