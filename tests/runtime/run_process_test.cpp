// Whole training runs as a user starts, stops and reads them.
#include <algorithm>
#include <thread>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/journal.hpp"
#include "runtime/read_run.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;

/// `esper run` on small.json with overrides.
Arguments run_small(const Arguments& overrides) {
  Arguments arguments{"run", small, "--out", "run"};
  for (const auto& override : overrides) arguments.insert(arguments.end(), {"--set", override});
  return arguments;
}

const Arguments endless{"training.steps_max=100000", "training.epochs=10000"};

/// Waits until the file holds the text; false after a minute.
bool comes_to_hold(const fs::path& file, const std::string& text) {
  for (int i = 0; i < 600; ++i) {
    if (fs::exists(file) && file_text(file).find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return false;
}

/// Every command that can be given what a run left.
void can_be_read(const ScratchFolder& folder) {
  for (const auto& arguments :
       {Arguments{"events", "run"}, Arguments{"ledger", "run"},
        Arguments{"events", "run", "-o", "json"}, Arguments{"ledger", "run", "-o", "json"},
        Arguments{"validate", "run/config.json"}, Arguments{"plan", "run/config.json"},
        Arguments{"report", "run"}, Arguments{"replay", "run"}, Arguments{"status", "run"},
        Arguments{"run", "run/config.json", "--dry-run"}}) {
    Process reader{binary, arguments, folder};
    INFO(arguments[0]);
    CHECK(reader.wait() == 0);
    CHECK_FALSE(reader.out().empty());
    CHECK(reader.err().empty());
  }
}

nlohmann::json report_in(const ScratchFolder& folder) {
  return nlohmann::json::parse(file_text(folder / "run/report.json"));
}

/// What a run tells a terminal of `columns`, to its end.
std::string told_to_terminal(const ScratchFolder& folder, const Arguments& arguments,
                             unsigned short columns) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(grantpt(master) == 0);
  REQUIRE(unlockpt(master) == 0);
  const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  REQUIRE(slave >= 0);
  winsize size{};
  size.ws_row = 24;
  size.ws_col = columns;
  REQUIRE(ioctl(slave, TIOCSWINSZ, &size) == 0);
  Process process{binary, arguments, folder, slave};
  close(slave);
  std::string told;
  std::array<char, 4'096> block{};
  for (ssize_t count = 0; (count = read(master, block.data(), block.size())) > 0;)
    told.append(block.data(), static_cast<std::size_t>(count));
  close(master);
  CHECK(process.wait() == 0);
  return told;
}

}  // namespace

SCENARIO("exit 3: lockstep that stalls ends degraded", "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{
      binary,
      // Windows far shorter than a turn's delays, however slow the machine trains.
      run_small({"pace.stall_ms_max=1", "control.delay_ms_max=400", "time.window_steps=2",
                 "gates.updates_min=10", "training.steps_max=12"}),
      folder};
  CHECK(process.wait() == 3);
  const auto report = report_in(folder);
  CHECK(report.at("exit") == 3);
  CHECK(report.at("reproducible") == false);
  CHECK(report.at("first_irreproducible").get<std::string>().find("pace.stall_ms_max") !=
        std::string::npos);
}

SCENARIO("exit 130: the first signal ends the step, seals and sums up",
         "[command_line][training]") {
  if (!can_run(true)) return;
  const int signal = GENERATE(SIGINT, SIGTERM);
  const ScratchFolder folder;
  Process process{binary, run_small(endless), folder};
  CHECK(comes_to_hold(folder / "stderr", "step"));
  process.signal(signal);
  CHECK(process.wait() == 130);
  CHECK(process.out().find("journal head") != std::string::npos);
  const auto report = report_in(folder);
  CHECK(report.at("exit") == 130);
  CHECK(report.at("seal").at("file_sha256").get<std::string>().size() == 64);
  CHECK(Journal::verify(folder / "run/journal.db")
            .ends_at(report.at("seal").at("head_hash").get<std::string>()));
  CHECK_FALSE(fs::exists(folder / "run/journal.db-wal"));
  can_be_read(folder);
}

SCENARIO("exit 130: a second signal ends at once, and the directory is readable",
         "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{binary, run_small(endless), folder};
  CHECK(comes_to_hold(folder / "stderr", "step"));
  process.signal(SIGTERM);
  process.signal(SIGINT);
  CHECK(process.wait() == 130);
  CHECK_FALSE(fs::exists(folder / "run/report.json"));  // no summary, no seal: at once
  can_be_read(folder);
}

SCENARIO("the journal's disk fills up: training goes on, log and exit code say so",
         "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  // A limit on file sizes in place of a small disk: the journal's log is the first to meet it.
  std::string command = "trap '' XFSZ; ulimit -f 200; exec " + binary.string();
  for (const auto& argument : run_small({"training.steps_max=150"})) command += " " + argument;
  Process process{"/bin/sh", {"-c", command}, folder};
  CHECK(process.wait() == 3);
  const auto report = report_in(folder);
  CHECK(report.at("exit") == 3);
  CHECK(report.at("reproducible") == false);
  CHECK(report.at("arms").at(0).at("steps") == 150);
  CHECK(file_text(folder / "run/esper.log").find("disk_refuses") != std::string::npos);
  const auto run = read_run(folder / "run");
  CHECK(run.exit == ExitCode::fine);
  REQUIRE_FALSE(run.entries.empty());
  CHECK(run.entries.back().window < Window{15});  // of 15: what can't be recorded isn't decided
}

SCENARIO("progress is drawn over on a terminal, in colour unless NO_COLOR",
         "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  constexpr unsigned short columns = 40;
  const auto arguments = run_small({"training.steps_max=20"});
  const auto told = told_to_terminal(folder, arguments, columns);
  CHECK(told.find("\r\033[K\033[1mgrown\033[0m  step ") != std::string::npos);
  const auto line = told.substr(told.rfind("\033[0m") + 4);
  CHECK(line.find_first_of("\r\n") < columns - std::string{"grown"}.size());
  fs::remove_all(folder / "run");
  REQUIRE(setenv("NO_COLOR", "1", 1) == 0);
  const auto plain = told_to_terminal(folder, arguments, columns);
  unsetenv("NO_COLOR");
  CHECK(plain.find("\r\033[Kgrown  step ") != std::string::npos);
  CHECK(plain.find("\033[1m") == std::string::npos);
}

SCENARIO("a run is repeated with the seeds that follow", "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{binary,
                  {"run", small, "--seed", "5", "--repeat", "2", "--out", "many", "-o", "json",
                   "--set", "training.steps_max=20"},
                  folder};
  CHECK(process.wait() == 0);
  const auto told = nlohmann::json::parse(process.out());
  REQUIRE(told.at("runs").size() == 2);
  CHECK(told.at("runs").at(0).at("seed") == 5);
  CHECK(told.at("runs").at(1).at("seed") == 6);
  CHECK(told.contains("comparison"));
  for (const auto* seed : {"seed-5", "seed-6"})
    CHECK(fs::exists(folder / "many" / seed / "report.json"));
}

SCENARIO("the example of each command's help works", "[command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  fs::create_directory(folder / "configs");
  for (const auto* name : {"small.json", "fashion.json"})
    fs::copy_file(source_directory() / "configs" / name, folder / "configs" / name);
  for (const std::string command :
       {"", "run", "validate", "plan", "ledger", "events", "report", "replay", "trace", "status",
        "blueprints"}) {  // override and top need a living run
    Process help{binary, command.empty() ? Arguments{"--help"} : Arguments{command, "--help"},
                 folder};
    CHECK(help.wait() == 0);
    const auto text = help.out();
    const std::string before = "Example:\n  esper ";
    REQUIRE(text.find(before) != std::string::npos);
    std::istringstream example{text.substr(text.find(before) + before.size())};
    std::string line;
    std::getline(example, line);
    std::istringstream words{line};
    Arguments arguments{std::istream_iterator<std::string>{words}, {}};
    if (!command.empty()) CHECK(arguments.at(0) == command);
    if (arguments.at(0) == "run")  // as it stands, but shorter
      arguments.insert(arguments.end(), {"--set", "training.steps_max=60"});
    Process process{binary, arguments, folder};
    INFO(line);
    CHECK(process.wait() == 0);
    CHECK_FALSE(process.out().empty());
  }
}

}  // namespace esper
