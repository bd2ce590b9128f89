#include "runtime/run_directory.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/config.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = ".lock";

/// Makes the next free runs/NAME-N; create_directory tells whether we were the one to make it.
Result<fs::path, DirectoryFault> next_free(const std::string& name) {
  std::error_code error;
  fs::create_directories("runs", error);
  if (error) return DirectoryFault{"runs can't be made here: " + error.message()};
  for (std::uint64_t number = 1;; ++number) {
    auto path = fs::path{"runs"} / (name + "-" + std::to_string(number));
    if (fs::create_directory(path, error)) return path;
    if (error) return DirectoryFault{path.string() + " can't be made: " + error.message()};
  }
}

}  // namespace

bool write_file(const fs::path& file, const std::string& text) {
  auto beside = file;
  beside += ".new";
  std::ofstream output{beside, std::ios::binary};
  output << text;
  output.close();
  std::error_code error;
  if (output) fs::rename(beside, file, error);
  const bool written = output.good() && !error;
  if (!written) fs::remove(beside, error);
  return written;
}

Result<RunDirectory, DirectoryFault> RunDirectory::create(const RunConfig& config,
                                                          const fs::path& out) {
  std::error_code error;
  bool is_new = true;
  auto path = out;
  if (out.empty()) {
    auto made = next_free(config.name);
    if (!made) return made.refusal();
    path = made.value();
  } else if (fs::exists(out, error)) {
    if (!fs::is_directory(out, error)) return DirectoryFault{out.string() + " is no directory"};
    if (!fs::is_empty(out, error) || error)
      return DirectoryFault{out.string() + " exists and isn't empty"};
    is_new = false;
  } else if (!fs::create_directories(out, error)) {
    return DirectoryFault{out.string() + " can't be made: " + error.message()};
  }
  RunDirectory directory{path};
  const bool locked = directory.lock();
  if (locked && write_file(directory.config(), effective_config(config))) return directory;
  if (locked) fs::remove(path / lock_name, error);
  if (is_new) fs::remove(path, error);
  return DirectoryFault{path.string() + (locked ? "/config.json can't be written"
                                                : " can't be written or is in use")};
}

Result<RunDirectory, DirectoryFault> RunDirectory::open(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return DirectoryFault{path.string() + " is no directory"};
  RunDirectory directory{path};
  if (!fs::is_regular_file(directory.journal(), error))
    return DirectoryFault{path.string() + " holds no run: journal.db is missing"};
  return directory;
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunDirectory& RunDirectory::operator=(RunDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

RunDirectory::~RunDirectory() {
  if (lock_ < 0) return;
  ::close(lock_);
  std::error_code ignored;
  fs::remove(path_ / lock_name, ignored);
}

bool RunDirectory::lock() {
  constexpr mode_t readable = 0644;
  lock_ = ::open((path_ / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, readable);
  if (lock_ < 0) return false;
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return true;
  ::close(lock_);
  lock_ = -1;  // another's: not ours to remove
  return false;
}

bool RunDirectory::in_use() const {
  const int file = ::open((path_ / lock_name).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  const bool taken = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return taken;
}

}  // namespace esper
