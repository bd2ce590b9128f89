#pragma once
// One run, looked at after each of its deaths: what was acknowledged is there, the chain holds, and
// so do LEDGER-1 and LEDGER-2 by a book of their own.
#include "runtime/journal.hpp"
#include "sim/check_ledger.hpp"
#include "tests/durability/plain_runs.hpp"

namespace esper {

class WatchedRun {
 public:
  WatchedRun(std::filesystem::path run, std::filesystem::path witness)
      : run_(std::move(run)), witness_(std::move(witness)) {}

  /// Reads what the last process left. "": all holds; else what does not.
  [[nodiscard]] std::string look();

  [[nodiscard]] std::uint64_t turn() const { return turn_; }
  [[nodiscard]] std::uint64_t entries() const { return entries_; }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  /// The newest whole one.
  [[nodiscard]] std::uint64_t checkpoint() const { return checkpoint_; }

 private:
  [[nodiscard]] std::string look_at_journal();
  [[nodiscard]] std::string look_at_witness(const Journal& journal);

  std::filesystem::path run_, witness_;
  std::uint64_t entries_{}, turn_{}, acknowledged_{}, checkpoint_{};
  std::string head_;
  std::streamoff told_{};  ///< of the witness's file
  sim::Findings findings_;
  sim::LedgerCheck ledger_{findings_, plain_cycle_windows};
};

}  // namespace esper
