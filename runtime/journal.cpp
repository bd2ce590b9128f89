#include "runtime/journal.hpp"

#include <limits>

#include "messages/failpoint.hpp"
#include "runtime/digest.hpp"
#include "runtime/journal_log.hpp"

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
constexpr std::uint64_t windows_by_index = 32;
constexpr std::string_view columns =
    "sequence, window, role, region, ordinal, kind, cause, payload, measured, hash";

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
JournalCheck checked(const Database& database) {
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

/// Which kinds are wanted, and where they are of one region alone, as SQL: what nobody wants is
/// passed over before its payload is touched.
std::string chosen_sql(const EntryChoice& choice) {
  const auto places = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += list.empty() ? "?" : ",?";
    return "(" + list + ")";
  };
  return " AND (kind IN " + places(choice.kinds.size()) + " OR region = ? AND kind IN " +
         places(choice.region_kinds.size()) + ")";
}

/// Without a choice all of those windows.
std::vector<JournalEntry> selected(const Database& database, Window from, Window to,
                                   const std::optional<EntryChoice>& choice) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  // A whole past is read as it lies: by the index its rows would have to be sorted, on disk.
  const bool few = to.value - from.value < windows_by_index && from <= to;
  auto rows =
      database.prepare(select("WHERE " + std::string{few ? "" : "+"} + "window BETWEEN ? AND ?" +
                              (choice ? chosen_sql(*choice) : "") + " ORDER BY sequence"));
  int place = 0;
  rows.bind(++place, std::min(from.value, largest));
  rows.bind(++place, std::min(to.value, largest));
  if (choice) {
    for (const auto kind : choice->kinds) rows.bind(++place, kind);
    rows.bind(++place, std::uint64_t{choice->region.value});
    for (const auto kind : choice->region_kinds) rows.bind(++place, kind);
  }
  std::vector<JournalEntry> entries;
  while (rows.step()) entries.push_back(entry_of(rows));
  return entries;
}

/// As a process leaves it that was killed before the file was a journal.
bool never_begun(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))  // its log comes after it, and not before
    return !std::filesystem::exists(file.string() + "-wal", ignored);
  try {
    const Database database{file, DatabaseAccess::read};
    return database.value("PRAGMA application_id") == "0" &&
           database.value("SELECT count(*) FROM sqlite_schema") == "0";
  } catch (const DatabaseError&) {
    return false;
  }
}

}  // namespace

Journal::Journal(std::filesystem::path file, DatabaseAccess access)
    : file_(std::move(file)), database_(std::make_unique<Database>(file_, access)) {}

Journal::Made Journal::create(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored))
    return JournalFault{JournalProblem::exists, file.string() + " exists already"};
  return lay_out(file);
}

Journal::Made Journal::lay_out(const std::filesystem::path& file) {
  try {
    std::unique_ptr<Journal> journal{new Journal(file, DatabaseAccess::create)};
    const auto& database = *journal->database_;
    if (database.value("PRAGMA journal_mode=WAL") != "wal")
      return JournalFault{JournalProblem::disk, file.string() + ": no write-ahead log here"};
    database.execute("PRAGMA synchronous=FULL");
    database.execute("BEGIN IMMEDIATE");  // whoever dies here leaves a blank file or a journal
    database.execute("PRAGMA application_id=" + std::string{application_id});
    database.execute("PRAGMA user_version=" + std::string{layout_version});
    database.execute(table_sql);
    database.execute(index_sql);
    database.execute("COMMIT");
    database.pass_failpoints();
    journal->set_writable(true);
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
    const auto found = checked(*journal->database_);
    journal->begin_at(found.entries, {found.head_hash, found.decision_hash});
    return journal;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::not_a_journal, file.string() + ": " + error.what()};
  }
}

Journal::Made Journal::resume(const std::filesystem::path& file) {
  const auto log = check_log(file);
  if (!log.damage.empty()) return JournalFault{JournalProblem::not_a_journal, log.damage};
  // Not before: behind a damaged log a whole journal looks as if it were blank.
  if (never_begun(file)) return lay_out(file);
  // Before it is opened for writing: what is refused is left as it was found.
  const auto found = verify(file);
  if (!found.holds())
    return JournalFault{JournalProblem::not_a_journal,
                        found.problem.empty() ? file.string() + ": the chain breaks at entry " +
                                                    std::to_string(found.first_broken)
                                              : found.problem};
  try {
    std::unique_ptr<Journal> journal{new Journal(file, DatabaseAccess::write)};
    journal->torn_ = log.torn;
    const auto& database = *journal->database_;
    if (database.value("PRAGMA journal_mode=WAL") != "wal")
      return JournalFault{JournalProblem::disk, file.string() + ": no write-ahead log here"};
    database.execute("PRAGMA synchronous=FULL");
    database.pass_failpoints();
    journal->begin_at(found.entries, {found.head_hash, found.decision_hash});
    journal->set_writable(true);
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
      auto found = checked(database);
      if (!found.problem.empty()) found.problem = file.string() + ": " + found.problem;
      if (found.problem.empty()) found.problem = check_log(file).damage;
      return found;
    }
    broken.problem = file.string() + " is no journal";
  } catch (const DatabaseError& error) {
    broken.problem = file.string() + ": " + error.what();
  }
  return broken;
}

JournalHashes Journal::commit(const std::vector<JournalEntry>& entries) {
  auto after = hashes();
  try {
    pass(Failpoint::journal_begin);
    database_->execute("BEGIN IMMEDIATE");
    write(entries, after);
    pass(Failpoint::journal_commit);
    database_->execute("COMMIT");
    pass(Failpoint::journal_committed);
  } catch (const DatabaseError&) {
    try {
      database_->execute("ROLLBACK");
    } catch (const DatabaseError&) {
      // A full or failing disk has rolled back by itself.
    }
    throw;
  }
  return after;
}

void Journal::write(const std::vector<JournalEntry>& entries, JournalHashes& hashes) {
  auto insert = database_->prepare("INSERT INTO entries(" + std::string{columns} +
                                   ") VALUES(?,?,?,?,?,?,?,?,?,?)");
  for (const auto& entry : entries) {
    if (&entry == &entries[entries.size() / 2]) pass(Failpoint::journal_insert);
    if (fails(entry.sequence)) throw DatabaseError("disk I/O error (injected)");
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
  return selected(*database_, from, to, {});
}

std::vector<JournalEntry> Journal::read_chosen(Window from, Window to,
                                               const EntryChoice& choice) const {
  return selected(*database_, from, to, choice);
}

std::string Journal::head_at(std::uint64_t sequence) const {
  auto row = database_->prepare("SELECT hash FROM entries WHERE sequence = ?");
  row.bind(1, sequence);
  return row.step() ? row.text(0) : std::string{};
}

Window Journal::last_window() const {
  auto row = database_->prepare("SELECT COALESCE(MAX(window), 0) FROM entries");
  return row.step() ? Window{row.integer(0)} : Window{};
}

std::string Journal::digest() const { return sha256_of_file(file_).value_or(""); }

Result<JournalSeal, JournalFault> Journal::seal() {
  if (seal_) return *seal_;
  try {
    if (writable()) {
      database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
      pass(Failpoint::journal_seal);
      if (database_->value("PRAGMA journal_mode=DELETE") != "delete")
        return JournalFault{JournalProblem::disk, file_.string() + ": still read by another"};
      set_writable(false);
      database_ = std::make_unique<Database>(file_, DatabaseAccess::read);
    }
    const auto bytes = digest();
    if (bytes.empty()) return JournalFault{JournalProblem::disk, file_.string() + " can't be read"};
    seal_ = JournalSeal{bytes, hashes().head, next_sequence() - 1};
    return *seal_;
  } catch (const DatabaseError& error) {
    return JournalFault{JournalProblem::disk, file_.string() + ": " + error.what()};
  }
}

}  // namespace esper
