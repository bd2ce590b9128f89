// A disk that is full for a while: a small tmpfs, filled in the middle of a run.
#include <thread>

#include <sys/mount.h>

#include "messages/json.hpp"
#include "runtime/read_run.hpp"
#include "runtime/replay.hpp"
#include "tests/durability/watched_run.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// Mounted while it lives.
class SmallDisk {
 public:
  SmallDisk(fs::path folder, const char* size) : folder_(std::move(folder)) {
    fs::create_directory(folder_);
    mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, size) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }
  /// To the last byte.
  void fill() const {
    std::ofstream file{folder_ / "filler", std::ios::binary};
    const std::string block(4'096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void make_room() const { fs::remove(folder_ / "filler"); }

 private:
  fs::path folder_;
  bool mounted_{};
};

/// The newest window that the trainer closed, and the newest turn that took effect there.
struct Seen {
  std::uint64_t window{}, turn{};
};
Seen seen_by(const fs::path& witness) {
  Seen seen;
  std::ifstream lines{witness};
  std::string what;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::uint64_t number = 0;
    words >> what >> number;
    (what == "window" ? seen.window : seen.turn) = number;
  }
  return seen;
}

/// False: it did not come within a minute.
template <typename Condition>
bool comes(Condition&& condition) {
  for (int look = 0; look < 6'000; ++look) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

std::string breakers(const PlainRuns& runs, const std::string& run) {
  const ScratchFolder elsewhere;
  Process status{runs.executable(), {"status", run, "-o", "json"}, elsewhere};
  if (status.wait() != 0) return "";
  return nlohmann::json::parse(status.out()).at("breakers").dump();
}

}  // namespace

SCENARIO("while the disk is full turns stop and training goes on, with room again they come back",
         "[durability][disk_full][TRAIN-1][LEDGER-1][LEDGER-2]") {
  if (!can_run_plain()) return;
  constexpr std::uint64_t outage_windows = 20;  // more than go unread without one taking over
  constexpr int window_ms = 15;
  const PlainRuns runs(plain_config(test_seed(), 600));
  const SmallDisk disk(runs / "disk", "size=24m");
  if (!disk.mounted()) {
    cannot_run_here("a tmpfs cannot be mounted: that needs root");
    return;
  }
  const std::string run = (runs / "disk/run").string();
  const auto witness = runs.witness(run);
  WatchedRun watched(run, witness);
  const auto seen = [&] { return seen_by(witness); };
  Process process = runs.start(runs.begin(run), "", window_ms);
  REQUIRE(comes([&] { return seen().turn >= 30; }));

  disk.fill();
  REQUIRE(comes([&] { return breakers(runs, run).find("journal.disk") != std::string::npos; }));
  const Seen full = seen();
  CHECK(comes([&] { return seen().window >= full.window + outage_windows; }));
  CHECK(seen().turn <= full.turn + 1);  // the one that was under way
  disk.make_room();
  CHECK(comes([&] { return seen().turn + 2 >= seen().window; }));
  CHECK(comes([&] { return breakers(runs, run) == "[]"; }));

  // Killed before a checkpoint was cut behind the outage, or long after it.
  process.signal(SIGKILL);
  CHECK(process.wait() == killed_code);
  REQUIRE(watched.look() == "");
  copy_run(run, runs / "from_the_first_step");
  fs::remove_all(runs / "from_the_first_step/checkpoints");
  for (const std::string& name : {run, std::string{"from_the_first_step"}}) {
    const auto ended = runs.ended(PlainRuns::resume(name));
    INFO(name << "\n" << ended.err);
    REQUIRE(ended.code == 0);
    const auto folder = fs::path{name}.is_absolute() ? fs::path{name} : runs / name;
    CHECK_FALSE(came_to(folder).reproducible);
    const auto read = read_run(folder);
    CHECK(read.troubles == std::vector<std::string>{});
    CHECK_FALSE(replay(read.entries).first);
    // Windows went without a turn, and one took over from them.
    std::uint64_t last = 0, missing = 0;
    for (const auto& entry : read.entries)
      if (entry.kind == WindowSummary::schema.name) {
        missing += entry.window.value - last - 1;
        last = entry.window.value;
      }
    CHECK(missing > 0);
  }
  CHECK(watched.look() == "");
}

}  // namespace esper
