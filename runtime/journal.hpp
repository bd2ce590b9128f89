#pragma once
// Every decision and every input that one was made from, hash-chained in one SQLite file.
#include <functional>
#include <memory>

#include "messages/interfaces.hpp"
#include "runtime/database.hpp"

namespace esper {

enum class JournalProblem : std::uint8_t {
  exists,         ///< create(): something is there already
  missing,        ///< open(): no such file
  not_a_journal,  ///< a file, but none of ours
  disk,           ///< cannot be created, read or written
};
ESPER_ENUM_NAMES(JournalProblem, "exists", "missing", "not_a_journal", "disk");

struct JournalFault {
  JournalProblem problem{};
  std::string sentence;  ///< for people, with the path
};

/// What closes a journal: any later change of the file changes `file_sha256`.
struct JournalSeal {
  std::string file_sha256;
  std::string head_hash;
  std::uint64_t entries{};

  static constexpr auto schema =
      record("JournalSeal", field("file_sha256", &JournalSeal::file_sha256),
             field("head_hash", &JournalSeal::head_hash), field("entries", &JournalSeal::entries));
};

/// What reading a whole journal against its chain found.
struct JournalCheck {
  std::uint64_t entries{};
  std::uint64_t first_broken{};  ///< sequence; 0: the chain holds
  std::string head_hash;         ///< recomputed up to the last unbroken entry
  std::string decision_hash;     ///< the same, over the logical parts
  std::string
      problem;  ///< the file itself can't be read, or its index or pages are damaged; "" else
  [[nodiscard]] bool holds() const { return first_broken == 0 && problem.empty(); }
  /// Also false when the tail was cut after `head` was written down.
  [[nodiscard]] bool ends_at(std::string_view head) const { return holds() && head_hash == head; }
};

/// head_n = SHA-256(head_{n-1} || logical || cause || measured), decision_n =
/// SHA-256(decision_{n-1}
/// || logical), both from 64 zeros; logical = window, role, region, ordinal, kind, payload, each
/// with its length before it. A cause is a sequence: it moves when an entry that only one pace
/// writes comes between, so it stands in the chain alone.
struct JournalHashes {
  std::string head = std::string(64, '0');
  std::string decision = std::string(64, '0');
};
[[nodiscard]] JournalHashes followed_by(const JournalHashes& before, const JournalEntry& entry);

/// AUDIT-1's book. Used by one thread at a time. Each append is one transaction and one sync.
class Journal final : public JournalStore {
 public:
  using Made = Result<std::unique_ptr<Journal>, JournalFault>;
  /// A new, empty journal. Errors: exists, disk.
  [[nodiscard]] static Made create(const std::filesystem::path& file);
  /// To be written on, of a run that was killed or interrupted: a seal is taken off. Errors:
  /// missing, not_a_journal (also where its chain is broken), disk.
  [[nodiscard]] static Made resume(const std::filesystem::path& file);
  /// For reading alone, also while another process writes. Errors: missing, not_a_journal, disk.
  [[nodiscard]] static Made open(const std::filesystem::path& file);
  /// Reads everything and compares; changes nothing.
  [[nodiscard]] static JournalCheck verify(const std::filesystem::path& file);

  [[nodiscard]] bool append(const std::vector<JournalEntry>& entries) override;
  [[nodiscard]] std::uint64_t next_sequence() const override { return entries_ + 1; }
  [[nodiscard]] std::vector<JournalEntry> read(Window from, Window to) const override;
  [[nodiscard]] Window last_window() const override;
  [[nodiscard]] std::string head() const override { return hashes_.head; }

  /// The chain's hash after that entry; "" when there is none.
  [[nodiscard]] std::string head_at(std::uint64_t sequence) const;
  [[nodiscard]] std::vector<JournalEntry> read_all() const;
  [[nodiscard]] const std::string& head_hash() const { return hashes_.head; }
  [[nodiscard]] const std::string& decision_hash() const { return hashes_.decision; }
  /// Why the last append was refused; "" after one that worked.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  /// Folds the write-ahead log in, so that one file remains; from then on it can only be read.
  /// Repeated: the same seal. Errors: disk.
  [[nodiscard]] Result<JournalSeal, JournalFault> seal();

  /// From now on each append is timed, and the log is told why the disk refuses, and when it takes
  /// entries again. Both outlive the journal.
  void watch(Metrics& metrics, Log& log);

  /// Called with the entries of each append that worked, on the appending thread; null: nobody.
  void set_follower(std::function<void(const std::vector<JournalEntry>&)> follower) {
    follower_ = std::move(follower);
  }

  /// A disk that fails when the entry of this sequence is written. For tests of that fault.
  void set_fault(std::function<bool(std::uint64_t sequence)> fails) { fails_ = std::move(fails); }

 private:
  Journal(std::filesystem::path file, DatabaseAccess access);
  bool commit(const std::vector<JournalEntry>& entries);
  void write(const std::vector<JournalEntry>& entries, JournalHashes& hashes);
  void tell(bool written, std::chrono::duration<double> took, std::size_t entries);

  std::filesystem::path file_;
  std::unique_ptr<Database> database_;
  std::uint64_t entries_{};
  JournalHashes hashes_;
  std::string refusal_;
  bool writable_{};
  Metrics* metrics_{};
  Log* log_{};
  bool refused_{};  ///< the last append
  std::optional<JournalSeal> seal_;
  std::function<bool(std::uint64_t)> fails_;
  std::function<void(const std::vector<JournalEntry>&)> follower_;
};

}  // namespace esper
