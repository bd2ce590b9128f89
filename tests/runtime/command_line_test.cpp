#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/journal.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// A run's directory of three entries, as a run leaves it.
void make_run(const fs::path& directory) {
  fs::create_directory(directory);
  auto journal = Journal::create(directory / "journal.db");
  REQUIRE(journal.has_value());
  std::vector<JournalEntry> entries(3);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].sequence = i + 1;
    entries[i].window = {i + 1};
    entries[i].role = Role::narset;
    entries[i].region = {static_cast<std::uint32_t>(i)};
    entries[i].kind = i == 0 ? "Price" : "Escalation";
    entries[i].payload = "{}";
  }
  REQUIRE(journal.value()->append(entries));
  REQUIRE(journal.value()->seal().has_value());
}

}  // namespace

SCENARIO("exit 0: a valid config, help and version", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  const auto says = [&](std::vector<std::string> arguments, const std::string& text) {
    Process process{binary, std::move(arguments), folder};
    CHECK(process.wait() == 0);
    CHECK(process.out().find(text) != std::string::npos);
    CHECK(process.err().empty());
  };
  says({"validate", small}, "valid");
  says({"validate", small, "--set", "seed=3", "--set", "name=x", "-o", "json"}, "\"seed\": 3");
  says({"validate", "--schema"}, "json-schema.org");
  says({"plan", small}, "narset.early");
  says({"run", small, "--dry-run"}, "budget per cycle");
  says({"run", small, "--dry-run", "-o", "json"}, "\"narset.early\"");
  says({"validate", "--keys"}, "| `training.batch` |");
  says({"blueprints"}, "squeeze_excitation");
  says({"--version"}, "esper 0.1.0 (");
  says({"--version"}, "torch");
  says({"--version"}, "CAF 0.17.6");
  for (const auto* command : {"run", "validate", "plan", "ledger", "events", "report", "replay",
                              "trace", "status", "override", "top", "blueprints"})
    says({command, "--help"}, std::string{"Example:\n  esper "} + command);
  CHECK_FALSE(fs::exists(folder / "runs"));
}

SCENARIO("-o json is JSON for each command that reads", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  make_run(folder / "run");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"validate", small},
                                                    {"plan", small},
                                                    {"blueprints"},
                                                    {"ledger", "run"},
                                                    {"status", "run"},
                                                    {"report", "run"}}) {
    auto with_format = arguments;
    with_format.insert(with_format.end(), {"-o", "json"});
    Process process{binary, with_format, folder};
    CHECK(process.wait() == 0);
    CHECK_FALSE(nlohmann::json::parse(process.out(), nullptr, false).is_discarded());
  }
}

SCENARIO("exit 2: usage and config", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  write_text(folder / "bad.json", "{\"version\": 1,\n\"nme\": \"x\", \"seed\": -1}");
  fs::create_directory(folder / "full");
  write_text(folder / "full" / "file", "");
  const auto refused = [&](std::vector<std::string> arguments, const std::string& text) {
    Process process{binary, std::move(arguments), folder};
    CHECK(process.wait() == 2);
    CHECK(process.err().find(text) != std::string::npos);
  };
  refused({}, "subcommand");
  refused({"fly"}, "fly");
  refused({"validate"}, "config");
  refused({"plan", small, "-o", "xml"}, "json");
  refused({"validate", small, "--set", "seed=one"}, "--set seed=one: seed: \"one\" is not");
  refused({"run", "bad.json"}, "did you mean name?");
  refused({"validate", "bad.json"}, "bad.json:2:21: seed");
  refused({"run", small, "--set", "training.bath=3"}, "training.batch");
  refused({"run", small, "--out", "full"}, "isn't empty");
  refused({"run", small, "--out", "/proc/esper/run"}, "/proc/esper/run can't be made");
  refused({"run", small, "--repeat", "0"}, "repeat");
  refused({"run", small, "--seed", "-1"}, "seed");
  refused({"run", small, "--seed", "18446744073709551615", "--repeat", "2"}, "past");
  refused({"events", "none"}, "no directory");
  refused({"ledger", "full"}, "no run");
  refused({"report", "full"}, "no run");
  Process json{binary, {"validate", "bad.json", "-o", "json"}, folder};
  CHECK(json.wait() == 2);
  CHECK(nlohmann::json::parse(json.out()).at("mistakes").size() == 3);
  CHECK_FALSE(fs::exists(folder / "runs"));
}

SCENARIO("mistakes of the file, of overrides and of the directory come at once", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  write_text(folder / "bad.json",
             "{\"version\": 1,\n\"nme\": \"x\", \"data\": {\"path\": \"/none\"}}");
  Process process{binary,
                  {"run", "bad.json", "--out", "/proc/esper", "--set", "seed=1e999", "-o", "json"},
                  folder};
  CHECK(process.wait() == 2);
  const auto mistakes = nlohmann::json::parse(process.out()).at("mistakes");
  const auto names = [&](const std::string& file, const std::string& key) {
    return std::any_of(mistakes.begin(), mistakes.end(), [&](const nlohmann::json& mistake) {
      return mistake.at("file") == file && mistake.at("key") == key &&
             !mistake.at("remedy").get<std::string>().empty();
    });
  };
  CHECK(names("--out /proc/esper", ""));
  CHECK(names("--set seed=1e999", "seed"));
  CHECK(names("bad.json", "nme"));
  CHECK(names("bad.json", "name"));
  CHECK(names("bad.json", "data.path"));
  CHECK(mistakes.size() == 5);
  const auto told = process.err();
  CHECK(std::count(told.begin(), told.end(), '\n') == 5);  // one line each
  CHECK_FALSE(fs::exists(folder / "runs"));
}

SCENARIO("exit 1: no trainer beside the executable", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  fs::copy_file(binary, folder / "esper");
  Process process{folder / "esper", {"run", small}, folder};
  CHECK(process.wait() == 1);
  CHECK(process.err().find("libesper_gpu.so") != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "runs"));
}

SCENARIO("exit 5: a journal whose chain is broken", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  make_run(folder / "run");
  Database{folder / "run/journal.db", DatabaseAccess::write}.execute(
      "UPDATE entries SET payload = '{ }' WHERE sequence = 2");
  for (const auto* command : {"events", "ledger"}) {
    Process process{binary, {command, "run"}, folder};
    CHECK(process.wait() == 5);
    CHECK(process.err().find("entry 2") != std::string::npos);
  }
  Database{folder / "run/journal.db", DatabaseAccess::write}.execute(
      "UPDATE entries SET kind = 'RegionReport' WHERE sequence = 2");
  Process process{binary, {"ledger", "run"}, folder};  // now it can't be read to its end, either
  CHECK(process.wait() == 5);
}

SCENARIO("events are filtered by kind, region and window", "[command_line]") {
  if (!can_run()) return;
  const ScratchFolder folder;
  make_run(folder / "run");
  const auto lines = [&](std::vector<std::string> filter) {
    filter.insert(filter.begin(), {"events", "run", "-o", "json"});
    Process process{binary, filter, folder};
    CHECK(process.wait() == 0);
    const auto text = process.out();
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines({}) == 3);
  CHECK(lines({"--kind", "Escalation"}) == 2);
  CHECK(lines({"--kind", "Escalation", "--kind", "Price"}) == 3);
  CHECK(lines({"--region", "1"}) == 1);
  CHECK(lines({"--window", "2-3"}) == 2);
  CHECK(lines({"--window", "7"}) == 0);
  for (const auto* wrong : {"9-3", "x", "3-"}) {
    Process process{binary, {"events", "run", "--window", wrong}, folder};
    CHECK(process.wait() == 2);
  }
  Process process{binary, {"events", "run", "--kind", "Outcomes"}, folder};
  CHECK(process.wait() == 2);
  CHECK(process.err().find("GateVerdict") != std::string::npos);
}

}  // namespace esper
