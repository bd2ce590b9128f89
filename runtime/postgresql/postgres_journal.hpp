#pragma once
// A journal in PostgreSQL: its rows are a file's, and beside them stands who may write.
#include <atomic>
#include <memory>

#include "runtime/journal_book.hpp"
#include "runtime/postgresql/leadership.hpp"

namespace esper {

/// Each append is one statement, which the server carries out whole or not at all whatever becomes
/// of this process, and which does nothing unless the run's row still names this leader's epoch and
/// the very end that this leader knows. So a process that was stopped holds no lock, one that was
/// deposed writes nothing, and nothing is written twice.
///
/// Where the answer to an append is lost, the next one looks for it by its end's number and hash:
/// it stands, and is not repeated; or it does not; or it stands and the turn has become another one
/// meanwhile, and then, since nobody was told of it, it gives way.
class PostgresJournal final : public JournalBook {
 public:
  using Made = Result<std::unique_ptr<PostgresJournal>, JournalFault>;
  /// A new, empty journal, led by this process. Errors: exists, disk.
  [[nodiscard]] static Made create(const PostgresPlace& place);
  /// To be written on, of a run that was killed or interrupted; a seal is taken off. Waits for the
  /// confirmation time where the process before did not leave by itself. A new one where there is
  /// no such run yet. Errors: led (somebody renews the lead), not_a_journal (the chain is broken;
  /// it is left as it was found), disk.
  [[nodiscard]] static Made resume(const PostgresPlace& place);
  /// A standby's: waits until the leader has left or was silent for the confirmation time, takes
  /// the lead, and only then reads the past. Null: `stop` was asked for. Errors: missing (no such
  /// run), not_a_journal, disk.
  [[nodiscard]] static Made stand_by(const PostgresPlace& place, const std::atomic<bool>& stop);
  /// For reading alone, also while another process writes; as it stood at the call. Errors:
  /// missing, not_a_journal, disk.
  [[nodiscard]] static Made open(const PostgresPlace& place);

  [[nodiscard]] std::vector<JournalEntry> read(Window from, Window to) const override;
  [[nodiscard]] std::vector<JournalEntry> read_chosen(Window from, Window to,
                                                      const EntryChoice& choice) const override;
  [[nodiscard]] Window last_window() const override;
  [[nodiscard]] std::string head_at(std::uint64_t sequence) const override;
  [[nodiscard]] JournalCheck check() const override;
  /// digest_n = SHA-256(digest_{n-1} || row), from 64 zeros; row = all columns but the run, each
  /// with its length before it.
  [[nodiscard]] std::string digest() const override;
  [[nodiscard]] Result<JournalSeal, JournalFault> seal() override;
  [[nodiscard]] bool deposed() const override { return keeper_ && keeper_->lost(); }
  [[nodiscard]] std::string place() const override { return "PostgreSQL, run " + place_.run; }

  /// Of this leader; 0: it only reads.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

 private:
  explicit PostgresJournal(PostgresPlace place);
  [[nodiscard]] static Made led(std::unique_ptr<PostgresJournal> journal, std::uint64_t epoch);
  [[nodiscard]] JournalFault fault(JournalProblem problem, const std::string& why) const;
  /// Where the chain was found to hold; else why not.
  [[nodiscard]] std::optional<JournalFault> begin_as_found();

  [[nodiscard]] JournalHashes commit(const std::vector<JournalEntry>& entries) override;
  void insert(const std::vector<JournalEntry>& entries, const std::vector<std::string>& hashes);
  /// After a lost answer. True: what stands ends so.
  [[nodiscard]] bool stands(std::uint64_t entries, const std::string& head);
  void take_back(const PostgresLead& lead);
  [[nodiscard]] PostgresLead lead() const;
  [[noreturn]] void refuse(const PostgresLead& lead);

  /// A connection that stands, made anew where it was lost.
  [[nodiscard]] PostgresConnection& connection() const;
  /// Asked again once where the answer was lost: reading changes nothing.
  template <typename Ask>
  auto again(const Ask& ask) const;
  [[nodiscard]] std::vector<JournalEntry> selected(const std::string& rest,
                                                   std::vector<std::string> values) const;

  PostgresPlace place_;
  std::uint64_t epoch_{};
  bool unsure_{};  ///< the answer to an append was lost, and nobody has looked yet
  std::optional<JournalSeal> seal_;
  mutable std::unique_ptr<PostgresConnection> connection_;
  std::unique_ptr<LeadKeeper> keeper_;
};

}  // namespace esper
