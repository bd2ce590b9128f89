#pragma once
// Every decision and every input that one was made from, hash-chained, whatever keeps it.
#include <functional>
#include <limits>

#include "messages/interfaces.hpp"

namespace esper {

enum class JournalProblem : std::uint8_t {
  exists,         ///< create(): something is there already
  missing,        ///< open(): nothing there
  not_a_journal,  ///< something, but none of ours, or damaged
  disk,           ///< cannot be created, read or written, or nobody answers
  led,            ///< resume(): another process writes it
};
ESPER_ENUM_NAMES(JournalProblem, "exists", "missing", "not_a_journal", "disk", "led");

struct JournalFault {
  JournalProblem problem{};
  std::string sentence;  ///< for people, with the place
};

/// What closes a journal: any later change of what it stands in changes `file_sha256`.
struct JournalSeal {
  std::string file_sha256;  ///< of the file's bytes; of PostgreSQL: over every column of its rows
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
  std::string problem;  ///< it can't be read, or what the chain cannot see is damaged; "" else
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
class JournalBook : public JournalStore {
 public:
  [[nodiscard]] bool append(const std::vector<JournalEntry>& entries) final;
  [[nodiscard]] std::uint64_t next_sequence() const final { return entries_ + 1; }
  [[nodiscard]] std::string head() const final { return hashes_.head; }

  /// Reads everything as it stands now and compares; changes nothing. Throws nothing.
  [[nodiscard]] virtual JournalCheck check() const = 0;
  /// What a seal's `file_sha256` would be now; "" when that can't be read.
  [[nodiscard]] virtual std::string digest() const = 0;
  /// From then on it can only be read. Repeated: the same seal. Errors: disk.
  [[nodiscard]] virtual Result<JournalSeal, JournalFault> seal() = 0;
  /// Another process leads it now: no append of this one works any more.
  [[nodiscard]] virtual bool deposed() const { return false; }
  /// Resumed: the last transaction was not whole, as after a power cut, and is passed over.
  [[nodiscard]] virtual bool torn() const { return false; }
  /// Where it stands, for people.
  [[nodiscard]] virtual std::string place() const = 0;

  [[nodiscard]] std::vector<JournalEntry> read_all() const {
    return read(Window{0}, Window{std::numeric_limits<std::uint64_t>::max()});
  }
  [[nodiscard]] const std::string& head_hash() const { return hashes_.head; }
  [[nodiscard]] const std::string& decision_hash() const { return hashes_.decision; }
  /// Why the last append was refused; "" after one that worked.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  /// From now on each append is timed, and the log is told why the disk refuses, and when it takes
  /// entries again. Both outlive the journal.
  void watch(Metrics& metrics, Log& log);

  /// Called with the entries of each append that worked, on the appending thread; null: nobody.
  void set_follower(std::function<void(const std::vector<JournalEntry>&)> follower) {
    follower_ = std::move(follower);
  }

  /// A disk that fails when the entry of this sequence is written. For tests of that fault.
  void set_fault(std::function<bool(std::uint64_t sequence)> fails) { fails_ = std::move(fails); }

 protected:
  /// Writes them in one transaction and returns the chain's hashes after the last. Errors: throws
  /// DatabaseError, and nothing of them stands, or nothing that is ever read.
  [[nodiscard]] virtual JournalHashes commit(const std::vector<JournalEntry>& entries) = 0;

  [[nodiscard]] const JournalHashes& hashes() const { return hashes_; }
  /// As it was found, before anything is appended.
  void begin_at(std::uint64_t entries, JournalHashes hashes) {
    entries_ = entries;
    hashes_ = std::move(hashes);
  }
  void set_writable(bool writable) { writable_ = writable; }
  [[nodiscard]] bool writable() const { return writable_; }
  [[nodiscard]] bool fails(std::uint64_t sequence) const { return fails_ && fails_(sequence); }

 private:
  void tell(bool written, std::chrono::duration<double> took, std::size_t entries);

  std::uint64_t entries_{};
  JournalHashes hashes_;
  std::string refusal_;
  bool writable_{};
  Metrics* metrics_{};
  Log* log_{};
  bool refused_{};  ///< the last append
  std::function<bool(std::uint64_t)> fails_;
  std::function<void(const std::vector<JournalEntry>&)> follower_;
};

}  // namespace esper
