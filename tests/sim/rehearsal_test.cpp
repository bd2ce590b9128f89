// Rehearsals: their mistakes are named with place and remedy, a fault that never fires fails, and
// those that ship pass.
#include "sim/rehearsal.hpp"

#include <catch2/catch.hpp>

#include <fstream>

#include "sim/shrink.hpp"
#include "tests/paths.hpp"

namespace esper::sim {
namespace {

ConfigMistake only_mistake(const std::string& text) {
  const auto read = parse_rehearsal(text, "r.json");
  REQUIRE(read.mistakes.size() == 1);
  return read.mistakes.front();
}

}  // namespace

SCENARIO("every mistake of a rehearsal is named with its line, key and remedy", "[rehearsal]") {
  const auto with = [](const std::string& fault) {
    return "{\"version\": 1, \"name\": \"r\",\n \"faults\": [\n  " + fault + "]}";
  };
  const auto kind = only_mistake(with(R"({"kind": "explode", "at_ms": 1000})"));
  CHECK(kind.line == 3);
  CHECK(kind.key == "faults[0].kind");
  CHECK(kind.remedy.find("\"kill\"") != std::string::npos);
  const auto target =
      only_mistake(with(R"({"kind": "kill", "at_ms": 1000, "target": "narset.99"})"));
  CHECK(target.key == "faults[0].target");
  CHECK(target.remedy.find("narset.15") != std::string::npos);
  CHECK(only_mistake(with(R"({"kind": "pause", "at_ms": 1000, "target": "tamiyo"})")).key ==
        "faults[0].duration_ms");
  CHECK(only_mistake(with(R"({"kind": "kill", "target": "tamiyo"})")).problem == "missing");
  CHECK(only_mistake(with(R"({"kind": "kill_all", "at_ms": 900000})")).key == "faults[0].at_ms");
  CHECK(only_mistake(with(R"({"kind": "kill_all", "at_ms": -5})")).remedy.find("at least 0") !=
        std::string::npos);
  CHECK(only_mistake(R"({"version": 2, "name": "r", "faults": []})").key == "version");
  CHECK(only_mistake(R"({"version": 1, "name": "r", "faults": [], "fault": []})").key == "fault");
  CHECK(only_mistake(R"({"version": 1, "name": "r", "faults": [], "expect": ["no/row"]})").key ==
        "expect[0]");
  CHECK_FALSE(parse_rehearsal("{", "r.json").mistakes.empty());
  CHECK(load_rehearsal("no/such/file.json").mistakes.size() == 1);
}

SCENARIO("what only a living run has is read, and refused by the simulator with its reason",
         "[rehearsal]") {
  const auto read = parse_rehearsal(R"({"version": 1, "name": "r", "faults": [
    {"kind": "poison_weights", "target": "region.0", "at_ms": 1}]})",
                                    "r.json");
  CHECK(read.mistakes.empty());
  CHECK_FALSE(impossible_simulated(FaultKind::poison_weights).empty());
  for (std::size_t i = 0; i + 1 < EnumNames<FaultKind>::values.size(); ++i)
    CHECK(impossible_simulated(static_cast<FaultKind>(i)).empty());
}

SCENARIO("a rehearsal's own text reads back to the same", "[rehearsal]") {
  Rehearsal rehearsal;
  rehearsal.name = "r";
  rehearsal.faults = {{FaultKind::kill, "tamiyo", 5'000, 3, 0},
                      {FaultKind::kill_all, "", 6'000, 0, 0},
                      {FaultKind::melt, "region.2", 7'000, 0, 4'000}};
  const auto again = parse_rehearsal(rehearsal_text(rehearsal), "r.json");
  CHECK(again.mistakes.empty());
  CHECK(rehearsal_text(again.rehearsal) == rehearsal_text(rehearsal));
}

SCENARIO("a fault that never fires fails its rehearsal, and so does a row that stays empty",
         "[rehearsal]") {
  Rehearsal rehearsal;
  rehearsal.regions = 3;
  rehearsal.windows = 30;
  // There is no append after the last event of the run.
  rehearsal.faults = {{FaultKind::disk_torn, "", 19'000, 1'000'000, 0}};
  rehearsal.expect = {"scaffold/thrashing"};
  const auto result = rehearse(rehearsal);
  REQUIRE(result.violations.size() >= 2);
  for (const auto& violation : result.violations) CHECK(violation.invariant == "REHEARSAL");
}

SCENARIO("every rehearsal that ships passes, twice alike", "[rehearsal][shipped]") {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator{source_directory() / "configs" / "rehearsals"}) {
    ++count;
    INFO(entry.path());
    const auto read = load_rehearsal(entry.path());
    for (const auto& mistake : read.mistakes) FAIL_CHECK(sentence_of(mistake));
    const auto result = rehearse(read.rehearsal);
    for (const auto& violation : result.violations)
      FAIL_CHECK(violation.invariant << " at " << violation.at_ms << " ms: " << violation.what);
    CHECK(rehearse(read.rehearsal).hash == result.hash);
  }
  CHECK(count >= 9);
}

}  // namespace esper::sim
