#pragma once
// The one directory that a run writes.
#include <filesystem>
#include <optional>
#include <string>

#include "messages/configuration.hpp"
#include "messages/result.hpp"

namespace esper {

struct DirectoryFault {
  std::string sentence;  ///< for people, with the path
};

class RunDirectory {
 public:
  /// Makes `out`, or with an empty `out` the next free runs/NAME-N under the working directory,
  /// locks it and writes config.json. Errors: exists and isn't empty, can't be written, in use. On
  /// an error nothing new is left behind.
  [[nodiscard]] static Result<RunDirectory, DirectoryFault> create(
      const RunConfig& config, const std::filesystem::path& out);
  /// The next free runs/NAME-N under the working directory; another process may still take it
  /// first.
  [[nodiscard]] static std::filesystem::path next_free(const std::string& name);
  /// Whether create() could make `out`, found out by trying; what it makes it takes back. Empty
  /// `out`: whether runs/ takes a new directory.
  [[nodiscard]] static std::optional<DirectoryFault> check(const std::filesystem::path& out);
  /// Of a run that was killed or interrupted, to go on with it: locked. Errors: no directory, none
  /// of ours, in use by another process.
  [[nodiscard]] static Result<RunDirectory, DirectoryFault> resume(
      const std::filesystem::path& path);
  /// Of an earlier run, for reading; takes no lock. Errors: no directory, or none of ours.
  [[nodiscard]] static Result<RunDirectory, DirectoryFault> open(const std::filesystem::path& path);

  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&& other) noexcept;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path config() const { return path_ / "config.json"; }
  [[nodiscard]] std::filesystem::path journal() const { return path_ / "journal.db"; }
  /// Of a journal in PostgreSQL: what the run is called there.
  [[nodiscard]] std::filesystem::path journal_run() const { return path_ / "journal.run"; }
  [[nodiscard]] std::filesystem::path log() const { return path_ / "esper.log"; }
  [[nodiscard]] std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  /// There while the run lives.
  [[nodiscard]] std::filesystem::path control_socket() const { return path_ / "control.sock"; }
  [[nodiscard]] std::filesystem::path report() const { return path_ / "report.json"; }
  [[nodiscard]] std::filesystem::path page() const { return path_ / "report.html"; }

  /// Another process is running in it.
  [[nodiscard]] bool in_use() const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] bool lock();

  std::filesystem::path path_;
  int lock_{-1};  ///< file descriptor; the kernel frees the lock when the process dies
};

/// Writes beside the file, syncs, renames: a reader sees the old text or the new, never a part, and
/// after a power cut too.
[[nodiscard]] bool write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace esper
