#include "runtime/read_run.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "messages/json.hpp"
#include "runtime/config.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_kinds.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

std::vector<JournalEntry> entries(std::uint64_t count) {
  std::vector<JournalEntry> made(count);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].sequence = i + 1;
    made[i].kind = "Escalation";
    made[i].payload = "{}";
  }
  return made;
}

/// A sealed run with the part of its report that keeps the seal.
void make_run(const std::filesystem::path& directory) {
  std::filesystem::create_directory(directory);
  auto journal = Journal::create(directory / "journal.db");
  REQUIRE(journal.has_value());
  REQUIRE(journal.value()->append(entries(4)));
  const auto seal = journal.value()->seal();
  REQUIRE(seal.has_value());
  const nlohmann::json report{{"exit", 0}, {"seal", to_json(seal.value(), Floats::plain)}};
  write_text(directory / "report.json", report.dump());
}

void edit(const std::filesystem::path& run, const std::string& sql) {
  Database{run / "journal.db", DatabaseAccess::write}.execute(sql);
}

}  // namespace

SCENARIO("AUDIT-1: what reads a run checks its chain and its seal", "[read_run][audit]") {
  const ScratchFolder folder;
  const auto run = folder / "run";
  make_run(run);
  GIVEN("a sealed run") {
    THEN("it is read whole, without a word") {
      const auto read = read_run(run);
      CHECK(read.exit == ExitCode::fine);
      CHECK(read.troubles.empty());
      CHECK(read.entries.size() == 4);
    }
  }
  GIVEN("one that lost its tail") {
    edit(run, "DELETE FROM entries WHERE sequence > 2");
    THEN("the report tells, though the chain holds") {
      const auto read = read_run(run);
      CHECK(read.exit == ExitCode::invariant);
      REQUIRE(read.troubles.size() == 2);
      CHECK(read.troubles[0].find("seal is broken") != std::string::npos);
      CHECK(read.troubles[1].find("after 4 entries; here are 2") != std::string::npos);
    }
    THEN("without a report nothing can tell") {
      std::filesystem::remove(run / "report.json");
      CHECK(read_run(run).exit == ExitCode::fine);
    }
  }
  GIVEN("one with an edited entry") {
    edit(run, "UPDATE entries SET payload = '{ }' WHERE sequence = 3");
    THEN("the entry is named") {
      const auto read = read_run(run);
      CHECK(read.exit == ExitCode::invariant);
      REQUIRE(read.troubles.size() == 2);
      CHECK(read.troubles[1].find("breaks at entry 3") != std::string::npos);
    }
  }
  GIVEN("a byte changed that no entry holds") {
    auto bytes = file_text(run / "journal.db");
    ++bytes[30];  // of the file's head
    write_text(run / "journal.db", bytes);
    CHECK(read_run(run).exit == ExitCode::invariant);
  }
  GIVEN("a sealed file that is a database no more") {
    write_text(run / "journal.db",
               "text, long enough to be looked at as a database's head .......");
    THEN("that is a broken promise, not a wrong argument") {
      CHECK(read_run(run).exit == ExitCode::invariant);
      std::filesystem::remove(run / "report.json");
      CHECK(read_run(run).exit == ExitCode::usage);
    }
  }
  GIVEN("a report that is cut off") {
    write_text(run / "report.json", "{\"seal\": {");
    CHECK(read_run(run).exit == ExitCode::fine);
  }
  GIVEN("no run") {
    CHECK(read_run(folder / "none").exit == ExitCode::usage);
    CHECK(read_run(folder / "none").troubles.size() == 1);
  }
}

SCENARIO("a journal says how long its cycles are", "[read_run]") {
  auto opening = entries(1);
  CHECK(cycle_windows_in(opening) == TimeConfig{}.cycle_windows);
  RunConfig config;
  config.time.cycle_windows = 9;
  opening[0].kind = config_kind;
  opening[0].payload = logical_config(config);
  CHECK(cycle_windows_in(opening) == 9);
  opening[0].payload = "edited";
  CHECK(cycle_windows_in(opening) == TimeConfig{}.cycle_windows);
}

SCENARIO("floats of a payload are numbers for people", "[read_run]") {
  GateVerdict verdict;
  verdict.measured = 0.0278;
  verdict.threshold = std::numeric_limits<double>::infinity();
  verdict.reason = "0x12";
  const auto json = readable_payload(canonical(verdict));
  CHECK(json.at("measured") == 0.0278);
  CHECK(json.at("threshold") == "Infinity");
  CHECK(json.at("reason") == "0x12");
  CHECK(json == to_json(verdict, Floats::plain));
  CHECK(readable_payload("cut {").is_null());
}

}  // namespace esper
