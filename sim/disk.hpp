#pragma once
// A journal's disk without a disk: slow, full, torn or gone between write and acknowledgement.
#include <cstdint>
#include <functional>
#include <string>

#include "messages/interfaces.hpp"

namespace esper::sim {

/// What the next append meets. Each strikes once, but `full`, which lasts until `heal`.
enum class DiskTrouble : std::uint8_t {
  none,
  slow,          ///< written, then the journal's actor stands still for a while
  full,          ///< refused, nothing is written
  torn,          ///< some entries reach the disk and the writer dies: on reopening they are cut off
  crash_before,  ///< the writer dies before anything is written
  crash_after,   ///< written, and the writer dies before it can say so
};

}  // namespace esper::sim

namespace esper {
ESPER_ENUM_NAMES(sim::DiskTrouble, "none", "slow", "full", "torn", "crash_before", "crash_after");
}  // namespace esper

namespace esper::sim {

class SimulatedDisk final : public JournalStore {
 public:
  /// Called with each transaction that stands on the disk, in order.
  using Written = std::function<void(const std::vector<JournalEntry>&)>;
  explicit SimulatedDisk(Written written) : written_(std::move(written)) {}

  /// The entries of the opening, before anything runs.
  void open(std::vector<JournalEntry> entries);
  void trouble(DiskTrouble next) { next_ = next; }
  void heal();
  /// What `slow` does: stands for the wait.
  std::function<void()> wait;
  /// Called when a trouble strikes.
  std::function<void(DiskTrouble)> struck;

  /// Errors: std::runtime_error when the writer dies; CAF then ends the actor that called.
  [[nodiscard]] bool append(const std::vector<JournalEntry>& entries) override;
  [[nodiscard]] std::uint64_t next_sequence() const override { return entries_.size() + 1; }
  [[nodiscard]] std::vector<JournalEntry> read(Window from, Window to) const override;
  [[nodiscard]] Window last_window() const override;
  [[nodiscard]] std::string head() const override;
  [[nodiscard]] std::string head_at(std::uint64_t sequence) const override;

  [[nodiscard]] const std::vector<JournalEntry>& entries() const { return entries_; }

 private:
  void write(const std::vector<JournalEntry>& entries);

  Written written_;
  std::vector<JournalEntry> entries_;
  std::vector<std::uint64_t> heads_;  ///< the chain's, after each entry
  DiskTrouble next_{DiskTrouble::none};
};

}  // namespace esper::sim
