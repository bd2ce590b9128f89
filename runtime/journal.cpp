#include "runtime/journal.hpp"

#include <limits>

#include <nlohmann/json.hpp>

#include "runtime/digest.hpp"

namespace esper {
namespace {

constexpr std::string_view application_id = "1163087954";  // "ESPR"
constexpr std::string_view layout_version = "1";
constexpr std::string_view table_sql =
    "CREATE TABLE entries(sequence INTEGER PRIMARY KEY, window INTEGER NOT NULL, "
    "role TEXT NOT NULL, region INTEGER NOT NULL, ordinal INTEGER NOT NULL, "
    "kind TEXT NOT NULL, cause INTEGER NOT NULL, payload TEXT NOT NULL, "
    "measured TEXT NOT NULL, hash TEXT NOT NULL)";
constexpr std::string_view index_sql = "CREATE INDEX entries_by_window ON entries(window)";
constexpr std::string_view columns =
    "sequence, window, role, region, ordinal, kind, cause, payload, measured, hash";

void add(std::string& bytes, std::string_view text) {
  bytes += std::to_string(text.size());
  bytes += ':';
  bytes += text;
}

/// Lengths stand before the texts, so no two entries give the same bytes.
std::string logical_bytes(const JournalEntry& entry) {
  std::string bytes;
  add(bytes, std::to_string(entry.window.value));
  add(bytes, name_of(entry.role));
  add(bytes, std::to_string(entry.region.value));
  add(bytes, std::to_string(entry.ordinal));
  add(bytes, entry.kind);
  add(bytes, entry.payload);
  return bytes;
}

JournalEntry entry_of(const Statement& row) {
  JournalEntry entry;
  entry.sequence = row.integer(0);
  entry.window = {row.integer(1)};
  const auto role = enum_from<Role>(row.text(2));
  if (!role) throw DatabaseError("entry " + row.text(0) + " names no role: " + row.text(2));
  entry.role = *role;
  entry.region = {static_cast<std::uint32_t>(row.integer(3))};
  entry.ordinal = static_cast<std::uint32_t>(row.integer(4));
  entry.kind = row.text(5);
  entry.cause = row.integer(6);
  entry.payload = row.text(7);
  entry.measured = row.text(8);
  return entry;
}

std::string select(std::string_view rest) {
  return "SELECT " + std::string{columns} + " FROM entries " + std::string{rest};
}

/// Also of its schema: a view by the table's name could be anything.
bool is_journal(const Database& database) {
  return database.value("PRAGMA application_id") == application_id &&
         database.value("PRAGMA user_version") == layout_version &&
         database.value(
             "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY "
             "type DESC)") == std::string{table_sql} + ";" + std::string{index_sql};
}

/// The chain is over what a row says. A row that says it in another type, or past what an entry
/// holds, is read the same and yet found, or not found, by other questions.
bool is_entry(const Statement& row) {
  for (const int column : {0, 1, 3, 4, 6})
    if (!row.is_integer(column)) return false;
  for (const int column : {2, 5, 7, 8, 9})
    if (!row.is_text(column)) return false;
  constexpr std::uint64_t largest = std::numeric_limits<std::uint32_t>::max();
  return row.integer(3) <= largest && row.integer(4) <= largest &&
         enum_from<Role>(row.text(2)).has_value();
}

/// Errors: DatabaseError where not even the rows can be read to their end.
JournalCheck check(const Database& database) {
  JournalCheck result;
  JournalHashes hashes;
  auto rows = database.prepare(select("ORDER BY sequence"));
  while (rows.step()) {
    ++result.entries;
    if (result.first_broken != 0) continue;
    if (is_entry(rows) && rows.integer(0) == result.entries) {
      const auto next = followed_by(hashes, entry_of(rows));
      if (next.head == rows.text(9)) {
        hashes = next;
        continue;
      }
    }
    result.first_broken = result.entries;
  }
  result.head_hash = hashes.head;
  result.decision_hash = hashes.decision;
  // What the chain cannot see: the index, by which windows are found, and pages that an append
  // would take for free.
  if (const auto found = database.value("PRAGMA integrity_check(1)"); found != "ok")
    result.problem = "the file is damaged: " + found;
  return result;
}

}  // namespace

JournalHashes followed_by(const JournalHashes& before, const JournalEntry& entry) {
  const auto logical = logical_bytes(entry);
  std::string rest;
  add(rest, std::to_string(entry.sequence));
  add(rest, std::to_string(entry.cause));
  add(rest, entry.measured);
  return {sha256(before.head + logical + rest), sha256(before.decision + logical)};
}

Journal::Journal(std::filesystem::path file, DatabaseAccess access)
    : file_(std::move(file)), database_(std::make_unique<Database>(file_, access)) {}

Journal::Made Journal::create(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored))
    return JournalFault{JournalProblem::exists, file.string() + " exists already"};
  try {
    std::unique_ptr<Journal> journal{new Journal(file, DatabaseAccess::create)};
    const auto& database = *journal->database_;
    if (database.value("PRAGMA journal_mode=WAL") != "wal")
      return JournalFault{JournalProblem::disk, file.string() + ": no write-ahead log here"};
    database.execute("PRAGMA synchronous=FULL");
    database.execute("PRAGMA application_id=" + std::string{application_id});
    database.execute("PRAGMA user_version=" + std::string{layout_version});
    database.execute(table_sql);
    database.execute(index_sql);
    journal->writable_ = true;
    return journal;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, file.string() + ": " + error.what()};
  }
}

Journal::Made Journal::open(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return JournalFault{JournalProblem::missing, file.string() + " does not exist"};
  try {
    std::unique_ptr<Journal> journal{new Journal(file, DatabaseAccess::read)};
    if (!is_journal(*journal->database_))
      return JournalFault{JournalProblem::not_a_journal, file.string() + " is no journal"};
    const auto found = check(*journal->database_);
    journal->entries_ = found.entries;
    journal->hashes_ = {found.head_hash, found.decision_hash};
    return journal;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::not_a_journal, file.string() + ": " + error.what()};
  }
}

Journal::Made Journal::resume(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return JournalFault{JournalProblem::missing, file.string() + " does not exist"};
  try {
    std::unique_ptr<Journal> journal{new Journal(file, DatabaseAccess::write)};
    const auto& database = *journal->database_;
    if (!is_journal(database))
      return JournalFault{JournalProblem::not_a_journal, file.string() + " is no journal"};
    const auto found = check(database);
    if (!found.holds())
      return JournalFault{JournalProblem::not_a_journal,
                          file.string() + ": " +
                              (found.problem.empty() ? "the chain breaks at entry " +
                                                           std::to_string(found.first_broken)
                                                     : found.problem)};
    if (database.value("PRAGMA journal_mode=WAL") != "wal")
      return JournalFault{JournalProblem::disk, file.string() + ": no write-ahead log here"};
    database.execute("PRAGMA synchronous=FULL");
    journal->entries_ = found.entries;
    journal->hashes_ = {found.head_hash, found.decision_hash};
    journal->writable_ = true;
    return journal;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, file.string() + ": " + error.what()};
  }
}

JournalCheck Journal::verify(const std::filesystem::path& file) {
  JournalCheck broken;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    broken.problem = file.string() + " does not exist";
    return broken;
  }
  try {
    const Database database{file, DatabaseAccess::read};
    if (is_journal(database)) {
      auto found = check(database);
      if (!found.problem.empty()) found.problem = file.string() + ": " + found.problem;
      return found;
    }
    broken.problem = file.string() + " is no journal";
  } catch (const DatabaseError& error) {
    broken.problem = file.string() + ": " + error.what();
  }
  return broken;
}

bool Journal::append(const std::vector<JournalEntry>& entries) {
  refusal_.clear();
  if (!writable_) {
    refusal_ = "sealed or opened for reading";
    return false;
  }
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].sequence != next_sequence() + i)
      throw InvariantViolation("journal entries with a gap in their sequence");
  if (entries.empty()) return true;
  const auto start = std::chrono::steady_clock::now();
  const bool written = commit(entries);
  tell(written, std::chrono::steady_clock::now() - start, entries.size());
  if (written && follower_) follower_(entries);
  return written;
}

void Journal::watch(Metrics& metrics, Log& log) {
  metrics_ = &metrics;
  log_ = &log;
}

void Journal::tell(bool written, std::chrono::duration<double> took, std::size_t entries) {
  if (metrics_ == nullptr) return;
  const auto role = name_of(Role::journal);
  metrics_->observe("esper_journal_append_seconds", role, took.count());
  if (written) metrics_->add("esper_journal_entries_total", role, "", static_cast<double>(entries));
  if (refused_ == !written) return;
  refused_ = !written;
  log_->write(refused_ ? LogLevel::error : LogLevel::warning,
              refused_ ? "disk_refuses" : "disk_takes_again",
              nlohmann::json{{"file", file_.string()}, {"reason", refusal_}}.dump());
}

bool Journal::commit(const std::vector<JournalEntry>& entries) {
  auto hashes = hashes_;
  try {
    database_->execute("BEGIN IMMEDIATE");
    write(entries, hashes);
    database_->execute("COMMIT");
  } catch (const DatabaseError& error) {
    refusal_ = error.what();
    try {
      database_->execute("ROLLBACK");
    } catch (const DatabaseError&) {
      // A full or failing disk has rolled back by itself.
    }
    return false;
  }
  hashes_ = std::move(hashes);
  entries_ += entries.size();
  return true;
}

void Journal::write(const std::vector<JournalEntry>& entries, JournalHashes& hashes) {
  auto insert = database_->prepare("INSERT INTO entries(" + std::string{columns} +
                                   ") VALUES(?,?,?,?,?,?,?,?,?,?)");
  for (const auto& entry : entries) {
    if (fails_ && fails_(entry.sequence)) throw DatabaseError("disk I/O error (injected)");
    hashes = followed_by(hashes, entry);
    insert.bind(1, entry.sequence).bind(2, entry.window.value).bind(3, name_of(entry.role));
    insert.bind(4, std::uint64_t{entry.region.value}).bind(5, std::uint64_t{entry.ordinal});
    insert.bind(6, entry.kind).bind(7, entry.cause).bind(8, entry.payload);
    insert.bind(9, entry.measured).bind(10, hashes.head);
    insert.step();
    insert.reset();
  }
}

std::vector<JournalEntry> Journal::read(Window from, Window to) const {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  auto rows = database_->prepare(select("WHERE window BETWEEN ? AND ? ORDER BY sequence"));
  rows.bind(1, std::min(from.value, largest)).bind(2, std::min(to.value, largest));
  std::vector<JournalEntry> entries;
  while (rows.step()) entries.push_back(entry_of(rows));
  return entries;
}

std::string Journal::head_at(std::uint64_t sequence) const {
  auto row = database_->prepare("SELECT hash FROM entries WHERE sequence = ?");
  row.bind(1, sequence);
  return row.step() ? row.text(0) : std::string{};
}

std::vector<JournalEntry> Journal::read_all() const {
  return read(Window{0}, Window{std::numeric_limits<std::uint64_t>::max()});
}

Window Journal::last_window() const {
  auto row = database_->prepare("SELECT COALESCE(MAX(window), 0) FROM entries");
  return row.step() ? Window{row.integer(0)} : Window{};
}

Result<JournalSeal, JournalFault> Journal::seal() {
  if (seal_) return *seal_;
  try {
    if (writable_) {
      database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
      if (database_->value("PRAGMA journal_mode=DELETE") != "delete")
        return JournalFault{JournalProblem::disk, file_.string() + ": still read by another"};
      writable_ = false;
      database_ = std::make_unique<Database>(file_, DatabaseAccess::read);
    }
    const auto digest = sha256_of_file(file_);
    if (!digest) return JournalFault{JournalProblem::disk, file_.string() + " can't be read"};
    seal_ = JournalSeal{*digest, hashes_.head, entries_};
    return *seal_;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, file_.string() + ": " + error.what()};
  }
}

}  // namespace esper
