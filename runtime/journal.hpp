#pragma once
// A journal in one SQLite file.
#include <memory>

#include "runtime/database.hpp"
#include "runtime/journal_book.hpp"

namespace esper {

/// Sealed its write-ahead log is folded in, so that one file remains.
class Journal final : public JournalBook {
 public:
  using Made = Result<std::unique_ptr<Journal>, JournalFault>;
  /// A new, empty journal. Errors: exists, disk.
  [[nodiscard]] static Made create(const std::filesystem::path& file);
  /// To be written on, of a run that was killed or interrupted: a seal is taken off. A new one
  /// where it was killed before it had any. Errors: not_a_journal (also where its chain is broken
  /// or its log damaged; the file is left as it was found), disk.
  [[nodiscard]] static Made resume(const std::filesystem::path& file);
  /// For reading alone, also while another process writes. Errors: missing, not_a_journal, disk.
  [[nodiscard]] static Made open(const std::filesystem::path& file);
  /// Reads everything and compares; changes nothing.
  [[nodiscard]] static JournalCheck verify(const std::filesystem::path& file);

  [[nodiscard]] std::vector<JournalEntry> read(Window from, Window to) const override;
  [[nodiscard]] std::vector<JournalEntry> read_chosen(Window from, Window to,
                                                      const EntryChoice& choice) const override;
  [[nodiscard]] Window last_window() const override;
  [[nodiscard]] std::string head_at(std::uint64_t sequence) const override;
  [[nodiscard]] JournalCheck check() const override { return verify(file_); }
  [[nodiscard]] std::string digest() const override;
  [[nodiscard]] Result<JournalSeal, JournalFault> seal() override;
  [[nodiscard]] bool torn() const override { return torn_; }
  [[nodiscard]] std::string place() const override { return file_.string(); }

 private:
  [[nodiscard]] static Made lay_out(const std::filesystem::path& file);
  Journal(std::filesystem::path file, DatabaseAccess access);
  [[nodiscard]] JournalHashes commit(const std::vector<JournalEntry>& entries) override;
  void write(const std::vector<JournalEntry>& entries, JournalHashes& hashes);

  std::filesystem::path file_;
  std::unique_ptr<Database> database_;
  bool torn_{};
  std::optional<JournalSeal> seal_;
};

}  // namespace esper
