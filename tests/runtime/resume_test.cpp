// From where a run goes on, and that it comes to the end of one that was never killed.
#include "runtime/resume.hpp"

#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "actors/decisions/random.hpp"
#include "runtime/database.hpp"
#include "runtime/journal.hpp"
#include "runtime/read_run.hpp"
#include "runtime/replay.hpp"
#include "runtime/run_directory.hpp"
#include "tests/long_tier.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/journal_entries.hpp"
#include "tests/runtime/process.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

constexpr int killed = 128 + SIGKILL;

/// Small, with a checkpoint at every cycle's end.
std::vector<std::string> run_arguments(const std::string& out,
                                       const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"run",   small,
                                     "--out", out,
                                     "--set", "training.steps_max=200",
                                     "--set", "time.checkpoint_cycles=1"};
  for (const auto& key : more) {
    arguments.emplace_back("--set");
    arguments.push_back(key);
  }
  return arguments;
}

/// One process, with a failpoint or without; 137 when it was killed.
struct Ended {
  int code{};
  std::string err;
};
Ended ended(const ScratchFolder& folder, const std::vector<std::string>& arguments,
            const std::string& failpoint = "") {
  setenv("ESPER_FAILPOINT", failpoint.c_str(), 1);
  Process process{binary, arguments, folder};
  unsetenv("ESPER_FAILPOINT");
  const int code = process.wait();
  return {code, process.err()};
}

struct Came {
  std::string weights, decisions;
  bool reproducible{};
  friend bool operator==(const Came&, const Came&) = default;
};
Came came_to(const fs::path& run) {
  const auto report = nlohmann::json::parse(file_text(run / "report.json"));
  return {report.at("weights_hash"), report.at("journal_hash"), report.at("reproducible")};
}

std::vector<fs::path> checkpoints(const fs::path& run) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{run / "checkpoints"})
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void flip_a_byte(const fs::path& file) {
  std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
  const auto place = static_cast<std::streamoff>(fs::file_size(file) / 2);
  char byte = 0;
  bytes.seekg(place).get(byte);
  bytes.seekp(place).put(static_cast<char>(byte ^ 1));
}

CheckpointFound found(std::uint64_t checkpoint, std::uint64_t sequence, const std::string& head) {
  CheckpointPlace place;
  place.checkpoint = checkpoint;
  place.window = {checkpoint * 4};
  place.journal_sequence = sequence;
  place.journal_head = head;
  return {"checkpoint-" + std::to_string(checkpoint), place, ""};
}

}  // namespace

SCENARIO("a run goes on from its newest whole checkpoint, whose journal must be there",
         "[resume][audit]") {
  const ScratchFolder folder;
  auto made = Journal::create(folder / "journal.db");
  REQUIRE(made.has_value());
  auto& journal = *made.value();
  Entries entries;
  for (std::uint64_t window = 1; window <= 6; ++window)
    entries.add(window, Role::narset, 0, Escalation{});
  REQUIRE(journal.append(entries.list));
  const auto head = [&](std::uint64_t sequence) { return journal.head_at(sequence); };
  CHECK(head(6) == journal.head_hash());
  CHECK(head(7).empty());

  CHECK(choose_checkpoint({}, journal).value().point.checkpoint.empty());
  const auto newest = choose_checkpoint({found(1, 2, head(2)), found(2, 4, head(4))}, journal);
  CHECK(newest.value().point.checkpoint == "checkpoint-2");
  CHECK(newest.value().point.window == Window{8});
  const CheckpointFound damaged{"checkpoint-2", std::nullopt, "checkpoint-2 is damaged"};
  const auto older = choose_checkpoint({found(1, 2, head(2)), damaged}, journal);
  CHECK(older.value().point.checkpoint == "checkpoint-1");
  CHECK(older.value().passed_over == std::vector<std::string>{"checkpoint-2 is damaged"});
  const auto cut = choose_checkpoint({found(1, 7, "x")}, journal);
  CHECK(cut.refusal().exit == ExitCode::invariant);
  CHECK(cut.refusal().sentence.find("its tail is missing") != std::string::npos);
  CHECK(choose_checkpoint({found(1, 5, head(4))}, journal).refusal().exit == ExitCode::invariant);
}

SCENARIO("killed and resumed, a run comes to the weights and decisions of one that never was",
         "[resume][failpoint][training]") {
  if (!can_run(true)) return;
  RandomStream stream(test_seed(), "kills");
  const ScratchFolder folder;
  REQUIRE(ended(folder, run_arguments("whole")).code == 0);
  const auto whole = came_to(folder / "whole");
  CHECK(whole.reproducible);

  // One run, killed over and over: at failpoints, then at any moment.
  const auto run = folder / "killed";
  const std::vector<std::string> resume{"run", "--resume", "killed"};
  std::vector<std::string> failpoints{"ramp:3", "checkpoint_rename:2"};
  if (long_tier())
    failpoints = {"ramp:3", "checkpoint_rename:2", "fossilise", "ramp:2", "checkpoint_rename"};
  REQUIRE(ended(folder, run_arguments("killed"), failpoints.front()).code == killed);
  CHECK_FALSE(fs::exists(run / "report.json"));
  for (std::size_t i = 1; i < failpoints.size(); ++i) {
    INFO(failpoints[i]);
    CHECK(ended(folder, resume, failpoints[i]).code == killed);
  }
  const auto after = ended(folder, resume);
  INFO(after.err);
  REQUIRE(after.code == 0);
  CHECK(came_to(run) == whole);
  const auto read = read_run(run);
  CHECK(read.exit == ExitCode::fine);
  CHECK_FALSE(replay(read.entries).first);

  // It has ended: there is nothing to go on with.
  CHECK(ended(folder, resume).code == 2);
}

SCENARIO(
    "a damaged checkpoint is named and the one before is used, and a second process is refused",
    "[resume][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  REQUIRE(ended(folder, run_arguments("whole")).code == 0);
  const auto run = folder / "run";
  REQUIRE(ended(folder, run_arguments("run"), "checkpoint_rename:4").code == killed);
  const auto files = checkpoints(run);
  REQUIRE(files.size() == 3);
  flip_a_byte(files.back());

  fs::remove(run / "control.sock");  // the killed process left its own
  Process first{binary, {"run", "--resume", "run"}, folder};
  bool listens = false;
  for (int i = 0; i < 1'000 && !listens; ++i) {
    listens = fs::exists(run / "control.sock");
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  REQUIRE(listens);
  const ScratchFolder elsewhere;
  Process second{binary, {"run", "--resume", run.string()}, elsewhere};
  CHECK(second.wait() == 2);
  CHECK(second.err().find("in use") != std::string::npos);
  CHECK(first.wait() == 0);
  CHECK(first.err().find(files.back().filename().string()) != std::string::npos);
  CHECK(first.err().find(files[1].filename().string()) != std::string::npos);
  CHECK(came_to(run) == came_to(folder / "whole"));
}

SCENARIO("interrupted and resumed, a run comes to the same end", "[resume][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  REQUIRE(ended(folder, run_arguments("whole")).code == 0);
  const auto run = folder / "run";
  Process process{binary, run_arguments("run"), folder};
  bool begun = false;
  for (int i = 0; i < 3'000 && !begun; ++i) {
    begun = fs::exists(run / "checkpoints") && !checkpoints(run).empty();
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  REQUIRE(begun);
  process.signal(SIGINT);
  CHECK(process.wait() == 130);
  const auto after = ended(folder, {"run", "--resume", "run"});
  INFO(after.err);
  REQUIRE(after.code == 0);
  CHECK(came_to(run) == came_to(folder / "whole"));
}

SCENARIO("a journal that lost what a checkpoint knows is not gone on with",
         "[resume][audit][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  const auto run = folder / "run";
  REQUIRE(ended(folder, run_arguments("run"), "ramp:20").code == killed);
  REQUIRE_FALSE(checkpoints(run).empty());
  const auto entries = read_run(run).entries.size();
  Database{run / "journal.db", DatabaseAccess::write}.execute(
      "DELETE FROM entries WHERE sequence > 20");
  const auto read = read_run(run);
  CHECK(read.entries.size() < entries);
  CHECK(read.exit == ExitCode::invariant);
  CHECK(ended(folder, {"run", "--resume", "run"}).code == 5);

  // Nor is one begun anew where one is gone.
  for (const char* file : {"journal.db", "journal.db-wal", "journal.db-shm"})
    fs::remove(run / file);
  CHECK(ended(folder, {"run", "--resume", "run"}).code == 5);
}

SCENARIO("in free pace a resumed run keeps what was acknowledged, and its ledger holds",
         "[resume][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  const auto run = folder / "run";
  REQUIRE(ended(folder, run_arguments("run", {"pace.mode=free"}), "ramp:20").code == killed);
  const auto before = read_run(run).entries;
  const auto after = ended(folder, {"run", "--resume", "run"});
  INFO(after.err);
  REQUIRE(after.code == 0);
  const auto now = read_run(run);
  CHECK(now.exit == ExitCode::fine);
  REQUIRE(now.entries.size() > before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    REQUIRE(canonical(now.entries[i]) == canonical(before[i]));
  CHECK_FALSE(replay(now.entries).first);
  CHECK_FALSE(came_to(run).reproducible);
}

SCENARIO("50 moments at which a run is killed", "[resume][failpoint][training][long]") {
  if (!long_tier() || !can_run(true)) return;
  RandomStream stream(test_seed(), "moments");
  const ScratchFolder folder;
  // Seeds grow into the host, and the host is cut.
  const std::vector<std::string> config{"compaction.importance_lost_max=0.5",
                                        "compaction.accuracy_drop_max=1",
                                        "compaction.recovery_loss_max=10",
                                        "compaction.learning_rate_ratio_min=0",
                                        "limits.seeds_max=1",
                                        "budget.compaction_share=1"};
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(ended(folder, run_arguments("whole", config)).code == 0);
  const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  const auto whole = came_to(folder / "whole");
  std::map<std::string, int> hits;
  for (int moment = 0; moment < 50; ++moment) {
    const auto name = "run" + std::to_string(moment);
    const std::vector<std::string> points{"surgery", "fossilise", "checkpoint_rename", "ramp"};
    if (moment < 40) {
      const auto& point = points[static_cast<std::size_t>(moment) % points.size()];
      // How often the undisturbed run passes each is a fact of this config and seed.
      const std::map<std::string, std::uint64_t> passings{
          {"surgery", 2}, {"fossilise", 1}, {"checkpoint_rename", 4}, {"ramp", 5}};
      const auto count = 1 + stream.below(passings.at(point));
      INFO(point << ":" << count);
      REQUIRE(
          ended(folder, run_arguments(name, config), point + ":" + std::to_string(count)).code ==
          killed);
      ++hits[point];
    } else {
      Process process{binary, run_arguments(name, config), folder};
      std::this_thread::sleep_for(
          std::chrono::milliseconds{stream.below(static_cast<std::uint64_t>(lasted.count()))});
      process.signal(SIGKILL);
      process.wait();
      if (!fs::exists(folder / name / "config.json")) continue;  // killed before it began
      if (fs::exists(folder / name / "report.json")) continue;   // it had ended
    }
    const auto after = ended(folder, {"run", "--resume", name});
    INFO("moment " << moment << "\n" << after.err);
    REQUIRE(after.code == 0);
    CHECK(came_to(folder / name) == whole);
    fs::remove_all(folder / name);
  }
  for (const auto& [point, count] : hits) CHECK(count == 10);
}

}  // namespace esper
