#pragma once
// Writes checkpoints on a thread of its own, so that no step waits for a disk. A failure is
// counted, never thrown.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "gpu/checkpoint_file.hpp"

namespace esper {

class CheckpointWriter {
 public:
  /// Removes what an interrupted write left in `folder`. keep: newest checkpoints, at least 1.
  CheckpointWriter(std::filesystem::path folder, std::size_t keep);
  /// Writes what waits, then ends.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Takes it over at once. While the disk is busy one waits; a newer one takes its place.
  void write(CheckpointContent content);
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
  std::optional<CheckpointContent> waiting_;  // under lock_, as all below
  bool busy_{}, ending_{};
  std::string problem_;
  std::thread thread_;  // last: it begins when everything else is there
};

}  // namespace esper
