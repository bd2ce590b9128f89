#include "runtime/journal.hpp"

#include <atomic>

#include <rapidcheck.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/digest.hpp"
#include "runtime/telemetry_export.hpp"
#include "tests/runtime/scratch_folder.hpp"
#include "tests/runtime/some_entries.hpp"
#include "tests/test_seed.hpp"

namespace {

std::atomic<int> syncs{0};

}  // namespace

// SQLite's calls come here first, since the executable stands before libc.
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(syscall(SYS_fdatasync, file));
}
extern "C" int fsync(int file) {
  ++syncs;
  return static_cast<int>(syscall(SYS_fsync, file));
}

namespace esper {
namespace {

using Path = std::filesystem::path;

std::unique_ptr<Journal> created(const Path& file) {
  auto made = Journal::create(file);
  REQUIRE(made.has_value());
  return std::move(made.value());
}

/// Writes and seals a journal of `count` entries.
JournalSeal sealed(const Path& file, std::uint64_t count) {
  auto journal = created(file);
  REQUIRE(journal->append(some_entries(count)));
  const auto seal = journal->seal();
  REQUIRE(seal.has_value());
  return seal.value();
}

void edit(const Path& file, const std::string& sql) {
  Database{file, DatabaseAccess::write}.execute(sql);
}

}  // namespace

SCENARIO("a journal keeps turns in order", "[journal]") {
  const ScratchFolder folder;
  GIVEN("a new journal with two turns") {
    auto journal = created(folder / "journal.db");
    CHECK(journal->last_window() == Window{0});
    REQUIRE(journal->append(some_entries(4)));
    THEN("they read back as written, by window") {
      CHECK(journal->next_sequence() == 5);
      CHECK(journal->last_window() == Window{2});
      const auto second = journal->read(Window{2}, Window{2});
      REQUIRE(second.size() == 2);
      CHECK(second[0].sequence == 3);
      CHECK(second[0].payload == "{\"value\":3}");
      CHECK(second[1].measured == "{\"seconds\":4}");
      CHECK(journal->read_all().size() == 4);
    }
    THEN("another reader sees the same while it is being written") {
      auto reader = Journal::open(folder / "journal.db");
      REQUIRE(reader.has_value());
      CHECK(reader.value()->head_hash() == journal->head_hash());
      CHECK(reader.value()->decision_hash() == journal->decision_hash());
      CHECK_FALSE(reader.value()->append(some_entries(1, 5)));
    }
    THEN("a gap in the sequence is a bug") {
      CHECK_THROWS_AS(journal->append(some_entries(1, 6)), InvariantViolation);
    }
  }
  GIVEN("paths that hold no journal") {
    write_text(folder / "text", "not a database, long enough to be looked at as one ............");
    Database{folder / "other.db", DatabaseAccess::create}.execute("CREATE TABLE a(b)");
    THEN("each is refused with its reason") {
      CHECK(Journal::open(folder / "none").refusal().problem == JournalProblem::missing);
      CHECK(Journal::open(folder / "text").refusal().problem == JournalProblem::not_a_journal);
      CHECK(Journal::open(folder / "other.db").refusal().problem == JournalProblem::not_a_journal);
      CHECK(Journal::create(folder / "text").refusal().problem == JournalProblem::exists);
      CHECK(Journal::create(folder / "no/such/folder").refusal().problem == JournalProblem::disk);
      CHECK_FALSE(Journal::verify(folder / "text").holds());
      CHECK(Journal::resume(folder / "text").refusal().problem == JournalProblem::not_a_journal);
      CHECK(Journal::resume(folder / "other.db").refusal().problem ==
            JournalProblem::not_a_journal);
    }
  }
  GIVEN("a journal whose log is damaged in its first frame, so that SQLite sees none of it") {
    auto made = Journal::create(folder / "whole.db");
    REQUIRE(made.has_value());
    REQUIRE(made.value()->append(some_entries(2)));
    REQUIRE(made.value()->append(some_entries(2, 3)));
    for (const char* part : {".db", ".db-wal"})  // while it is open: nothing is folded in yet
      std::filesystem::copy_file(folder / (std::string{"whole"} + part),
                                 folder / (std::string{"cut"} + part));
    auto log = file_text(folder / "cut.db-wal");
    log.at(1'182) ^= 1;
    write_text(folder / "cut.db-wal", log);
    const auto blank = file_text(folder / "cut.db");
    THEN("it is refused, not begun anew, and left as it was found") {
      CHECK(Journal::resume(folder / "cut.db").refusal().problem == JournalProblem::not_a_journal);
      CHECK((file_text(folder / "cut.db") == blank));
      CHECK((file_text(folder / "cut.db-wal") == log));
    }
  }
  GIVEN("what a process leaves that is killed before its journal is one") {
    write_text(folder / "empty.db", "");
    Database{folder / "blank.db", DatabaseAccess::create}.execute("PRAGMA journal_mode=WAL");
    THEN("a run is begun there when it is resumed") {
      for (const char* name : {"none.db", "empty.db", "blank.db"}) {
        INFO(name);
        const auto begun = Journal::resume(folder / name);
        REQUIRE(begun.has_value());
        CHECK(begun.value()->next_sequence() == 1);
        CHECK(begun.value()->append(some_entries(1, 1)));
        CHECK(Journal::verify(folder / name).entries == 1);
      }
    }
  }
}

SCENARIO("a disk that refuses loses no earlier turn and half-writes none", "[journal]") {
  const ScratchFolder folder;
  GIVEN("a journal of one turn whose disk fails at the third entry of the next") {
    auto journal = created(folder / "journal.db");
    REQUIRE(journal->append(some_entries(2)));
    const auto head = journal->head_hash();
    journal->set_fault([](std::uint64_t sequence) { return sequence == 5; });
    WHEN("that turn is appended") {
      CHECK_FALSE(journal->append(some_entries(3, 3)));
      THEN("nothing of it stands, and the same turn goes in when the disk is back") {
        CHECK_FALSE(journal->refusal().empty());
        CHECK(journal->read_all().size() == 2);
        CHECK(journal->head_hash() == head);
        CHECK(journal->next_sequence() == 3);
        journal->set_fault({});
        CHECK(journal->append(some_entries(3, 3)));
        CHECK(journal->refusal().empty());
        CHECK(Journal::verify(folder / "journal.db").holds());
      }
    }
  }
}

SCENARIO("each turn is one transaction with one sync, whatever its size", "[journal]") {
  const ScratchFolder folder;
  auto journal = created(folder / "journal.db");
  REQUIRE(journal->append(some_entries(1)));  // the write-ahead log's head goes with the first
  const auto before = syncs.load();
  std::uint64_t next = 2;
  for (const std::uint64_t count : {1U, 5U, 40U, 0U, 3U}) {
    const auto at = syncs.load();
    REQUIRE(journal->append(some_entries(count, next)));
    CHECK(syncs.load() - at == (count == 0 ? 0 : 1));
    next += count;
  }
  CHECK(syncs.load() - before == 4);
}

SCENARIO("appends are timed, and a disk that refuses is told once with its reason",
         "[journal][metrics]") {
  const ScratchFolder folder;
  RegistryMetrics metrics;
  {
    JsonLog log{folder / "esper.log"};
    auto journal = created(folder / "journal.db");
    journal->watch(metrics, log);
    REQUIRE(journal->append(some_entries(2)));
    journal->set_fault([](std::uint64_t) { return true; });
    CHECK_FALSE(journal->append(some_entries(1, 3)));
    CHECK_FALSE(journal->append(some_entries(1, 3)));
    journal->set_fault({});
    CHECK(journal->append(some_entries(1, 3)));
  }
  const auto all = nlohmann::json::parse(metrics.snapshot());
  CHECK(all.at("esper_journal_append_seconds{role=\"journal\"}").at("count") == 4);
  CHECK(all.at("esper_journal_entries_total{role=\"journal\"}") == 3);
  const auto log = file_text(folder / "esper.log");
  CHECK(std::count(log.begin(), log.end(), '\n') == 2);
  CHECK(log.find("\"disk_refuses\"") < log.find("\"disk_takes_again\""));
  CHECK(log.find("disk I/O error") != std::string::npos);
}

SCENARIO("the decision hash runs over logical parts alone", "[journal]") {
  GIVEN("an entry and one like it") {
    const JournalHashes start;
    const auto base = some_entry(1, 1, "{}");
    const auto hashes = followed_by(start, base);
    auto other = base;
    THEN("measured part, cause and sequence change the chain only") {
      other.measured = "{\"seconds\":9}";
      CHECK(followed_by(start, other).decision == hashes.decision);
      CHECK(followed_by(start, other).head != hashes.head);
      other = base;
      other.cause = 7;
      CHECK(followed_by(start, other).decision == hashes.decision);
      CHECK(followed_by(start, other).head != hashes.head);
    }
    THEN("every logical field changes both") {
      const std::vector<std::function<void(JournalEntry&)>> changes{
          [](auto& e) { e.window = {2}; },  [](auto& e) { e.role = Role::tamiyo; },
          [](auto& e) { e.region = {9}; },  [](auto& e) { e.ordinal = 9; },
          [](auto& e) { e.kind = "Mint"; }, [](auto& e) { e.payload = "{\"a\":1}"; }};
      for (const auto& change : changes) {
        other = base;
        change(other);
        CHECK(followed_by(start, other).decision != hashes.decision);
        CHECK(followed_by(start, other).head != hashes.head);
      }
    }
    THEN("text cannot wander from one field into the next") {
      other.kind = base.kind + "{";
      other.payload = "}";
      CHECK(followed_by(start, other).decision != hashes.decision);
    }
  }
}

SCENARIO("AUDIT-1: any edit of an entry breaks the chain at that entry", "[journal][audit]") {
  const ScratchFolder folder;
  std::uint64_t attempt = 0;
  REQUIRE(rc::check("edited entries are found", [&] {
    const auto file = folder / ("journal" + std::to_string(++attempt));
    const auto count = *rc::gen::inRange<std::uint64_t>(2, 8);
    const auto at = *rc::gen::inRange<std::uint64_t>(1, count);  // never the last: see swaps
    const auto seal = sealed(file, count);
    RC_ASSERT(Journal::verify(file).ends_at(seal.head_hash));
    const auto row = std::to_string(at);
    const auto next = std::to_string(at + 1);
    const auto edits = std::vector<std::string>{
        "UPDATE entries SET payload = payload || ' ' WHERE sequence = " + row,
        "UPDATE entries SET measured = '' WHERE sequence = " + row,
        "UPDATE entries SET kind = 'Mint' WHERE sequence = " + row,
        "UPDATE entries SET role = 'tamiyo' WHERE sequence = " + row,
        "UPDATE entries SET role = 'nobody' WHERE sequence = " + row,
        "UPDATE entries SET window = window + 1 WHERE sequence = " + row,
        "UPDATE entries SET region = region + 1 WHERE sequence = " + row,
        "UPDATE entries SET ordinal = ordinal + 1 WHERE sequence = " + row,
        "UPDATE entries SET cause = 1000 WHERE sequence = " + row,
        "UPDATE entries SET hash = '' WHERE sequence = " + row,
        "DELETE FROM entries WHERE sequence = " + row,
        "UPDATE entries SET sequence = CASE sequence WHEN " + row + " THEN -1 ELSE sequence END; ",
    };
    const auto chosen = *rc::gen::inRange<std::size_t>(0, edits.size() + 1);
    if (chosen < edits.size()) {
      edit(file, edits[chosen]);
    } else {  // two neighbours change places, each keeping its own hash
      edit(file, "UPDATE entries SET sequence = -1 WHERE sequence = " + row);
      edit(file, "UPDATE entries SET sequence = " + row + " WHERE sequence = " + next);
      edit(file, "UPDATE entries SET sequence = " + next + " WHERE sequence = -1");
    }
    const auto check = Journal::verify(file);
    RC_ASSERT(!check.holds());
    // A row moved to sequence -1 sorts first, so the break shows there.
    RC_ASSERT(check.first_broken == (chosen == edits.size() - 1 ? 1 : at));
  }));
}

SCENARIO("AUDIT-1: what the chain cannot see of a damaged file is found", "[journal][audit]") {
  const ScratchFolder folder;
  const auto file = folder / "journal.db";
  const auto seal = sealed(file, 6);
  const auto forged = [&](const std::string& schema, const std::string& edit_sql) {
    // As an editor of files could: SQLite itself would not write such a row or schema.
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &raw) == SQLITE_OK);
    const std::string sql = "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET " + schema +
                            "; PRAGMA schema_version=99;";
    REQUIRE(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(raw);
    if (!edit_sql.empty()) edit(file, edit_sql);
  };
  WHEN("a number stands as a text, which no question by number finds") {
    const std::string typed =
        "sql = replace(sql, 'window INTEGER', 'window TEXT') WHERE type = 'table'";
    forged(typed, "UPDATE entries SET window = CAST(window AS TEXT) WHERE sequence = 3");
    forged("sql = replace(sql, 'window TEXT', 'window INTEGER') WHERE type = 'table'", "");
    const auto check = Journal::verify(file);
    CHECK_FALSE(check.holds());
    CHECK(check.first_broken != 0);
  }
  WHEN("the index lacks a row, so that a window's entries are not found") {
    forged(
        "sql = 'CREATE INDEX entries_by_window ON entries(window) WHERE sequence <> 3' "
        "WHERE type = 'index'",
        "REINDEX");
    forged("sql = 'CREATE INDEX entries_by_window ON entries(window)' WHERE type = 'index'", "");
    const auto check = Journal::verify(file);
    CHECK(check.first_broken == 0);
    CHECK(check.problem.find("damaged") != std::string::npos);
    CHECK(Journal::resume(file).refusal().problem == JournalProblem::not_a_journal);
  }
  WHEN("the table is a view by its name") {
    Database{file, DatabaseAccess::write}.execute("ALTER TABLE entries RENAME TO other");
    Database{file, DatabaseAccess::write}.execute("CREATE VIEW entries AS SELECT * FROM other");
    CHECK(Journal::verify(file).problem.find("no journal") != std::string::npos);
    CHECK(Journal::open(file).refusal().problem == JournalProblem::not_a_journal);
  }
  WHEN("nothing was changed") { CHECK(Journal::verify(file).ends_at(seal.head_hash)); }
}

SCENARIO("AUDIT-1: any changed byte of a sealed journal breaks its seal", "[journal][audit]") {
  const ScratchFolder folder;
  const auto file = folder / "journal.db";
  const auto seal = sealed(file, 6);
  const auto original = file_text(file);
  CHECK_FALSE(std::filesystem::exists(folder / "journal.db-wal"));
  CHECK_FALSE(std::filesystem::exists(folder / "journal.db-shm"));
  CHECK(sha256_of_file(file) == seal.file_sha256);
  REQUIRE(rc::check("a changed byte shows", [&] {
    auto changed = original;
    const auto at = *rc::gen::inRange<std::size_t>(0, changed.size());
    const auto flip = *rc::gen::inRange(1, 256);
    changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
    write_text(folder / "changed", changed);
    RC_ASSERT(sha256_of_file(folder / "changed") != seal.file_sha256);
  }));
}

SCENARIO("AUDIT-1: a cut tail is seen against the head in the report", "[journal][audit]") {
  const ScratchFolder folder;
  GIVEN("a sealed journal that loses its last entry") {
    const auto file = folder / "journal.db";
    const auto seal = sealed(file, 6);
    edit(file, "DELETE FROM entries WHERE sequence = 6");
    THEN("the chain alone holds, the head does not") {
      const auto check = Journal::verify(file);
      CHECK(check.holds());
      CHECK(check.entries == 5);
      CHECK_FALSE(check.ends_at(seal.head_hash));
    }
  }
}

SCENARIO("a sealed journal can be read and takes nothing more", "[journal]") {
  const ScratchFolder folder;
  auto journal = created(folder / "journal.db");
  REQUIRE(journal->append(some_entries(3)));
  const auto seal = journal->seal();
  REQUIRE(seal.has_value());
  CHECK(seal.value().entries == 3);
  CHECK(journal->read_all().size() == 3);
  CHECK_FALSE(journal->append(some_entries(1, 4)));
  CHECK(journal->seal().value().file_sha256 == seal.value().file_sha256);
  CHECK(sha256_of_file(folder / "journal.db") == seal.value().file_sha256);
}

}  // namespace esper
