#include <algorithm>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/journal.hpp"
#include "tests/cannot_run.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

const fs::path binary = binary_directory() / "esper";
const std::string small = (source_directory() / "configs/small.json").string();

/// Says why and returns false where the executable or, if asked, the trainer isn't built.
bool can_run(bool training = false) {
  if (!fs::exists(binary)) {
    cannot_run_here("esper is not built");
    return false;
  }
  if (training && !fs::exists(binary.parent_path() / "libesper_gpu.so")) {
    cannot_run_here("libesper_gpu.so is not built");
    return false;
  }
  return true;
}

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

/// Waits until the file holds the text; false after a minute.
bool comes_to_hold(const fs::path& file, const std::string& text) {
  for (int i = 0; i < 600; ++i) {
    if (fs::exists(file) && file_text(file).find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return false;
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
  says({"blueprints"}, "squeeze_excitation");
  says({"--version"}, "CAF 0.17");
  for (const auto* command : {"run", "validate", "plan", "ledger", "events", "blueprints"})
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
                                                    {"ledger", "run"}}) {
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
  refused({"run", "bad.json"}, "did you mean name?");
  refused({"validate", "bad.json"}, "bad.json:2:21: seed");
  refused({"run", small, "--set", "training.bath=3"}, "training.batch");
  refused({"run", small, "--out", "full"}, "isn't empty");
  refused({"run", small, "--repeat", "0"}, "repeat");
  refused({"events", "none"}, "no directory");
  refused({"ledger", "full"}, "no run");
  Process json{binary, {"validate", "bad.json", "-o", "json"}, folder};
  CHECK(json.wait() == 2);
  CHECK(nlohmann::json::parse(json.out()).at("mistakes").size() == 3);
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
}

SCENARIO("exit 3: lockstep that stalls ends degraded", "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{binary,
                  {"run", small, "--out", "run", "--set", "pace.stall_ms_max=1", "--set",
                   "control.delay_ms_max=200", "--set", "baselines.host=false", "--set",
                   "baselines.widened=false", "--set", "training.steps_max=60"},
                  folder};
  CHECK(process.wait() == 3);
  const auto report = nlohmann::json::parse(file_text(folder / "run/report.json"));
  CHECK(report.at("exit") == 3);
  CHECK(report.at("reproducible") == false);
}

SCENARIO("exit 130: the first signal ends the step and seals", "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{binary,
                  {"run", small, "--out", "run", "--set", "training.steps_max=100000", "--set",
                   "training.epochs=10000"},
                  folder};
  CHECK(comes_to_hold(folder / "stderr", "step"));
  process.signal(SIGINT);
  CHECK(process.wait() == 130);
  const auto report = nlohmann::json::parse(file_text(folder / "run/report.json"));
  CHECK(report.at("exit") == 130);
  CHECK(Journal::verify(folder / "run/journal.db")
            .ends_at(report.at("seal").at("head_hash").get<std::string>()));
}

SCENARIO("exit 130: a second signal ends at once, and the directory is readable",
         "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{binary,
                  {"run", small, "--out", "run", "--set", "training.steps_max=100000", "--set",
                   "training.epochs=10000"},
                  folder};
  CHECK(comes_to_hold(folder / "stderr", "step"));
  process.signal(SIGTERM);
  process.signal(SIGINT);
  CHECK(process.wait() == 130);
  for (const auto* command : {"events", "ledger"}) {
    Process reader{binary, {command, "run"}, folder};
    CHECK(reader.wait() == 0);
  }
}

}  // namespace esper
