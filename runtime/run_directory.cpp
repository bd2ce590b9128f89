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
constexpr const char* nodes_name = "nodes";
constexpr const char* certificates_name = "certificates";

/// A file or a folder, down to the disk.
bool synced(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool done = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return done;
}

/// Folders made on the way to a new one; gone again unless they are kept.
class NewFolders {
 public:
  /// Makes `path` and what is missing above it. False: `error` says why.
  bool make(const fs::path& path, std::error_code& error) {
    if (path.has_parent_path() && !fs::exists(path.parent_path(), error) &&
        !make(path.parent_path(), error))
      return false;
    if (fs::create_directory(path, error)) made_.push_back(path);
    return !error;
  }
  /// That we, and no other process, made `path`, and made it last.
  [[nodiscard]] bool hold(const fs::path& path) const {
    return !made_.empty() && made_.back() == path;
  }
  void keep() { made_.clear(); }

  NewFolders() = default;
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;
  ~NewFolders() {
    std::error_code ignored;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) fs::remove(*path, ignored);
  }

 private:
  std::vector<fs::path> made_;
};

/// Makes the next free runs/NAME-N.
Result<fs::path, DirectoryFault> make_next(const std::string& name, NewFolders& made) {
  std::error_code error;
  for (;;) {
    auto path = RunDirectory::next_free(name);
    if (!made.make(path, error))
      return DirectoryFault{path.string() + " can't be made: " + error.message()};
    if (made.hold(path)) return path;
  }
}

/// Nothing is in it but what the nodes of a run on this machine put there before it begins.
bool is_free(const fs::path& folder, std::error_code& error) {
  for (const auto& entry : fs::directory_iterator{folder, error})
    if (entry.path().filename() != nodes_name && entry.path().filename() != certificates_name)
      return false;
  return true;
}

/// Makes `out` where it is missing; one that is there must be empty and ours to write in.
Result<fs::path, DirectoryFault> make_named(const fs::path& out, NewFolders& made) {
  std::error_code error;
  if (!fs::exists(out, error)) {
    if (made.make(out, error)) return out;
    return DirectoryFault{out.string() + " can't be made: " + error.message()};
  }
  if (!fs::is_directory(out, error)) return DirectoryFault{out.string() + " is no directory"};
  if (!is_free(out, error) || error)
    return DirectoryFault{out.string() + " exists and isn't empty"};
  if (::access(out.c_str(), W_OK | X_OK) != 0)
    return DirectoryFault{out.string() + " can't be written"};
  return out;
}

/// With an empty `out` a run of that name.
Result<fs::path, DirectoryFault> make(const fs::path& out, const std::string& name,
                                      NewFolders& made) {
  return out.empty() ? make_next(name, made) : make_named(out, made);
}

}  // namespace

bool write_file(const fs::path& file, const std::string& text) {
  auto beside = file;
  beside += ".new";
  std::ofstream output{beside, std::ios::binary};
  output << text;
  output.close();
  std::error_code error;
  bool written = output.good() && synced(beside);
  if (written) fs::rename(beside, file, error);
  written = written && !error;
  if (!written) fs::remove(beside, error);
  return written && synced(file.has_parent_path() ? file.parent_path() : fs::path{"."});
}

fs::path RunDirectory::next_free(const std::string& name) {
  std::error_code ignored;
  for (std::uint64_t number = 1;; ++number) {
    auto path = fs::path{"runs"} / (name + "-" + std::to_string(number));
    if (!fs::exists(path, ignored)) return path;
  }
}

std::optional<DirectoryFault> RunDirectory::check(const fs::path& out) {
  NewFolders tried;
  const auto made = make(out, "esper", tried);
  return made ? std::nullopt : std::optional{made.refusal()};
}

Result<RunDirectory, DirectoryFault> RunDirectory::create(const RunConfig& config,
                                                          const fs::path& out) {
  NewFolders made;
  const auto path = make(out, config.name, made);
  if (!path) return path.refusal();
  RunDirectory directory{path.value()};
  const bool locked = directory.lock();
  if (locked && write_file(directory.config(), effective_config(config))) {
    made.keep();
    return directory;
  }
  return DirectoryFault{path.value().string() + (locked ? "/config.json can't be written"
                                                        : " can't be written or is in use")};
}

Result<RunDirectory, DirectoryFault> RunDirectory::open(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return DirectoryFault{path.string() + " is no directory"};
  RunDirectory directory{path};
  if (!fs::is_regular_file(directory.journal(), error) &&
      !fs::is_regular_file(directory.journal_run(), error))
    return DirectoryFault{path.string() + " holds no run: journal.db is missing"};
  return directory;
}

Result<RunDirectory, DirectoryFault> RunDirectory::resume(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return DirectoryFault{path.string() + " is no directory"};
  RunDirectory directory{path};
  if (!fs::is_regular_file(directory.config(), error))
    return DirectoryFault{path.string() + " holds no run: config.json is missing"};
  if (directory.lock()) return directory;
  return DirectoryFault{path.string() + " can't be written or is in use by another process"};
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
