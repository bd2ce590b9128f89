#pragma once
// Writes checkpoints on a thread of its own, so that no step waits for a disk. A failure is
// counted, never thrown.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "gpu/checkpoint_folder.hpp"

namespace esper {

/// A cut of a training, on its way to the disk.
struct CheckpointJob {
  std::uint64_t checkpoint{};
  /// Puts its file into the folder; empty: done, else one sentence. On the writer's thread.
  std::function<std::string(const std::filesystem::path& folder)> put;
};

class CheckpointWriter {
 public:
  /// Removes what an interrupted write left in `folder`. keep: newest checkpoints, at least 1.
  CheckpointWriter(std::filesystem::path folder, std::size_t keep);
  /// Writes what waits, then ends.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Takes it over at once. While the disk is busy one waits; a newer one takes its place.
  void write(CheckpointJob job);
  /// Blocks until nothing waits and nothing is being written.
  void finish();

  [[nodiscard]] std::uint64_t written() const { return written_; }    ///< newest on disk; 0: none
  [[nodiscard]] std::uint64_t failures() const { return failures_; }  ///< in a row
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }  ///< that waited in vain
  /// Of the last failure; "" before the first.
  [[nodiscard]] std::string problem() const;

 private:
  void serve();

  const std::filesystem::path folder_;
  const std::size_t keep_;
  std::atomic<std::uint64_t> written_{0}, failures_{0}, replaced_{0};
  mutable std::mutex lock_;
  std::condition_variable changed_;
  std::optional<CheckpointJob> waiting_;  // under lock_, as all below
  bool busy_{}, ending_{};
  std::string problem_;
  std::thread thread_;  // last: it begins when everything else is there
};

}  // namespace esper
