#include "runtime/recount.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/config.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_kinds.hpp"
#include "tests/runtime/lived_run.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

RunConfig lived_config() {
  RunConfig config;
  config.name = "lived";
  config.seed = 9;
  config.pace.mode = Pace::free;
  config.time.window_steps = 10;
  config.time.cycle_windows = 4;
  return config;
}

std::vector<JournalEntry> lived_entries() {
  auto entries = LivedRun{}.entries();
  JournalEntry opening;
  opening.kind = config_kind;
  opening.payload = logical_config(lived_config());
  entries.insert(entries.begin(), opening);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].sequence = i + 1;
  return entries;
}

/// A run's directory; `report`: what stands in report.json, "" for a killed run's.
void make_run(const std::filesystem::path& directory, const std::string& report) {
  std::filesystem::create_directory(directory);
  write_text(directory / "config.json", effective_config(lived_config()));
  auto journal = Journal::create(directory / "journal.db");
  REQUIRE(journal.has_value());
  REQUIRE(journal.value()->append(lived_entries()));
  if (report.empty()) return;
  const auto seal = journal.value()->seal();
  REQUIRE(seal.has_value());
  auto json = nlohmann::ordered_json::parse(report);
  json["seal"] = to_json(seal.value(), Floats::plain);
  write_text(directory / "report.json", json.dump(2));
}

}  // namespace

SCENARIO("a killed run is reported from its journal, as far as it goes", "[recount]") {
  const auto entries = lived_entries();
  const auto report = recounted(entries, effective_config(lived_config()));
  CHECK(report.name == "lived");
  CHECK(report.seed == 9);
  CHECK(report.pace == Pace::free);
  CHECK(report.window_steps == 10);
  CHECK(report.cycle_windows == 4);
  CHECK_FALSE(report.reproducible);
  CHECK(report.missing.size() == 4);
  CHECK(report.arms.empty());
  CHECK(report.account.windows == LivedRun::windows);
  CHECK(report.curves.at(0).points.size() == LivedRun::windows);
  CHECK(report.promotion.regression.windows == 4);
  CHECK_FALSE(report.promotion.regression.host);
  GIVEN("an entry that can't be read") {
    auto edited = entries;
    auto place = std::find_if(edited.begin(), edited.end(), [](const JournalEntry& entry) {
      return entry.window == Window{7} && entry.kind == "RegionReport";
    });
    place->payload = "{";
    const auto prefix = recounted(edited, "");
    CHECK(prefix.name == "run");
    CHECK(prefix.account.windows == 7);
    CHECK(prefix.missing.back().find("from entry " + std::to_string(place->sequence)) !=
          std::string::npos);
  }
  GIVEN("nothing") { CHECK(recounted({}, "").account.windows == 0); }
}

SCENARIO("a directory gives its report, or its like, and says what is wrong", "[recount]") {
  const ScratchFolder folder;
  const auto run = folder / "run";
  GIVEN("a run that ended well") {
    make_run(run, report_json(lived_report()));
    const auto found = find_report(run);
    CHECK(found.exit == ExitCode::fine);
    CHECK(found.json == file_text(run / "report.json"));
    THEN("a changed journal is told, and the report given all the same") {
      auto bytes = file_text(run / "journal.db");
      ++bytes[30];
      write_text(run / "journal.db", bytes);
      const auto broken = find_report(run);
      CHECK(broken.exit == ExitCode::invariant);
      CHECK_FALSE(broken.troubles.empty());
      CHECK(broken.json == found.json);
    }
    THEN("so is a lost one") {
      std::filesystem::remove(run / "journal.db");
      const auto broken = find_report(run);
      CHECK(broken.exit == ExitCode::invariant);
      CHECK_FALSE(broken.troubles.empty());
    }
  }
  GIVEN("a killed run") {
    make_run(run, "");
    const auto found = find_report(run);
    CHECK(found.exit == ExitCode::fine);
    CHECK(nlohmann::json::parse(found.json).at("name") == "lived");
    CHECK_FALSE(std::filesystem::exists(run / "report.json"));
  }
  GIVEN("a report that is cut off") {
    make_run(run, "");
    write_text(run / "report.json", "{\"name\": ");
    CHECK(nlohmann::json::parse(find_report(run).json).at("name") == "lived");
  }
  GIVEN("no run") {
    const auto found = find_report(folder / "none");
    CHECK(found.exit == ExitCode::usage);
    CHECK(found.json.empty());
  }
}

}  // namespace esper
