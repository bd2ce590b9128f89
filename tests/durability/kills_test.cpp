// The real process, a real SQLite file, killed at every failpoint that its disk has.
#include <iomanip>
#include <iostream>
#include <set>

#include "actors/decisions/random.hpp"
#include "messages/failpoint.hpp"
#include "messages/json.hpp"
#include "runtime/read_run.hpp"
#include "runtime/replay.hpp"
#include "tests/durability/watched_run.hpp"
#include "tests/long_tier.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

using enum Failpoint;

/// Where it stands in a turn's or a checkpoint's way to the disk.
struct Place {
  Failpoint point;
  bool of_turns;  ///< else of checkpoints
  bool behind;    ///< what it is about is there when it kills
};
constexpr Place places[]{
    {journal_begin, true, false},      {journal_insert, true, false},
    {journal_commit, true, false},     {journal_sync, true, true},
    {journal_torn, true, false},       {journal_synced, true, true},
    {journal_fold, true, true},        {journal_committed, true, true},
    {journal_seal, true, true},        {report, true, true},
    {checkpoint_begin, false, false},  {checkpoint_half, false, false},
    {checkpoint_sync, false, false},   {checkpoint_synced, false, false},
    {checkpoint_rename, false, false}, {checkpoint_renamed, false, true},
    {checkpoint_written, false, true},
};

struct Row {
  std::string point;
  std::uint64_t kills{}, entries{}, acknowledged{};
  std::set<std::uint64_t> hit;  ///< turns or checkpoints
};

void print(const std::vector<Row>& rows, std::uint64_t turns, std::uint64_t checkpoints) {
  std::cout
      << "\n"
      << turns << " turns, " << checkpoints << " checkpoints\n\n"
      << "| killed at | kills | of different turns or checkpoints | took effect and still there | "
         "LEDGER-1, LEDGER-2, chain | end |\n|---|---|---|---|---|---|\n";
  for (const Row& row : rows)
    std::cout << "| `" << row.point << "` | " << row.kills << " | " << row.hit.size() << " | "
              << row.acknowledged << " turns | held | the undisturbed run's |\n";
  std::cout << std::flush;
}

/// The undisturbed run: what all others must come to.
struct Whole {
  Came came;
  std::uint64_t turns{}, checkpoints{}, entries{};
};

Whole undisturbed(const PlainRuns& runs) {
  const auto ended = runs.go_on("whole");
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  const auto read = read_run(runs / "whole");
  REQUIRE(read.exit == ExitCode::fine);
  std::map<std::string, std::uint64_t> kinds;
  for (const auto& entry : read.entries) ++kinds[entry.kind];
  // Not a run in which nothing happens.
  for (const char* kind : {"AdaptationCommand", "Outcome", "GateVerdict", "CheckpointReady"}) {
    INFO(kind);
    CHECK(kinds[kind] > 0);
  }
  std::cout << kinds["AdaptationCommand"] << " commands, " << kinds["ScaffoldRequest"]
            << " scaffolds asked for, " << kinds["SurgeryOutcome"] << " surgeries, "
            << read.entries.size() << " entries\n";
  Whole whole{came_to(runs / "whole"), read.entries.back().window.value, kinds["CheckpointReady"],
              read.entries.size()};
  CHECK(whole.came.reproducible);
  return whole;
}

void check_end(const PlainRuns& runs, const std::string& run, const Whole& whole) {
  CHECK(came_to(runs / run) == whole.came);
  const auto read = read_run(runs / run);
  CHECK(read.troubles == std::vector<std::string>{});
  CHECK(read.entries.size() == whole.entries);
  CHECK_FALSE(replay(read.entries).first);
}

/// Killed and looked at; false: it came to its end.
bool killed(const PlainRuns& runs, const std::string& run, const Place& place, std::uint64_t count,
            WatchedRun& watched, Row& row) {
  const auto failpoint = row.point + ":" + std::to_string(count);
  const auto ended = runs.go_on(run, failpoint);
  INFO(failpoint << " after turn " << watched.turn() << ", kill " << row.kills + 1 << "\n"
                 << ended.err);
  if (ended.code == 0) return false;
  REQUIRE(ended.code == killed_code);
  REQUIRE(ended.err.find("failpoint " + row.point + "\n") != std::string::npos);
  REQUIRE(watched.look() == "");
  ++row.kills;
  const auto there = place.of_turns ? watched.turn() : watched.checkpoint();
  const bool opening = place.of_turns && watched.entries() == 0;
  row.hit.insert(there + (place.behind || opening ? 0 : 1));
  return true;
}

/// Killed at the same place of every turn or checkpoint in turn, resumed each time.
Row killed_at_each(const PlainRuns& runs, const Place& place, const Whole& whole) {
  Row row;
  row.point = name_of(place.point);
  const std::string run = row.point;
  WatchedRun watched(runs / run, runs.witness(run));
  // What is killed before its turn is there gets no further: then one passes first.
  constexpr std::uint64_t count_max = 4;
  std::uint64_t count = 1, before = 0;
  while (count <= count_max && killed(runs, run, place, count, watched, row)) {
    const auto now = place.of_turns ? watched.entries() : watched.checkpoint();
    count = now == before ? count + 1 : place.behind ? 1 : 2;
    before = now;
  }
  if (count > count_max) {  // the log is folded in at the run's end, too
    const auto ended = runs.go_on(run);
    INFO(row.point << "\n" << ended.err);
    REQUIRE(ended.code == 0);
  }
  REQUIRE(watched.look() == "");
  row.entries = watched.entries();
  row.acknowledged = watched.acknowledged();
  check_end(runs, run, whole);
  std::filesystem::remove_all(runs / run);
  return row;
}

/// Killed there once, and resumed to the end.
Row killed_once(const PlainRuns& runs, const Place& place, const Whole& whole,
                RandomStream& stream) {
  Row row;
  row.point = name_of(place.point);
  WatchedRun watched(runs / row.point, runs.witness(row.point));
  std::uint64_t count = 1;
  if (place.point != journal_fold && place.point != journal_seal && place.point != report)
    count += stream.below(place.of_turns ? whole.turns : whole.checkpoints);
  REQUIRE(killed(runs, row.point, place, count, watched, row));
  const auto after = runs.go_on(row.point);
  INFO(row.point << ":" << count << "\n" << after.err);
  REQUIRE(after.code == 0);
  REQUIRE(watched.look() == "");
  row.entries = watched.entries();
  row.acknowledged = watched.acknowledged();
  check_end(runs, row.point, whole);
  std::filesystem::remove_all(runs / row.point);
  return row;
}

}  // namespace

SCENARIO("killed once at each place on the way to the disk, a run loses nothing",
         "[durability][failpoint][LEDGER-1][LEDGER-2][audit]") {
  if (!can_run_plain()) return;
  const std::uint64_t seed = test_seed();
  RandomStream stream(seed, "durability.once");
  const PlainRuns runs(plain_config(seed, 48));
  const Whole whole = undisturbed(runs);
  std::vector<Row> rows;
  for (const Place& place : places) rows.push_back(killed_once(runs, place, whole, stream));
  for (const Row& row : rows) {
    INFO(row.point);
    CHECK(row.kills == 1);
  }
}

SCENARIO("killed at each place of every turn and every checkpoint, a run loses nothing",
         "[durability][failpoint][LEDGER-1][LEDGER-2][audit][long]") {
  if (!long_tier() || !can_run_plain()) return;
  const PlainRuns runs(plain_config(test_seed(), static_cast<std::uint32_t>(cases(0, 160))));
  const Whole whole = undisturbed(runs);
  std::vector<Row> rows;
  for (const Place& place : places) rows.push_back(killed_at_each(runs, place, whole));
  print(rows, whole.turns, whole.checkpoints);
  for (const Row& row : rows) {
    INFO(row.point);
    CHECK(row.kills > 0);
    if (row.point == "journal_fold" || row.point == "journal_seal" || row.point == "report")
      continue;
    const bool of_turns = row.point.starts_with("journal");
    const std::uint64_t all = of_turns ? whole.turns : whole.checkpoints;
    for (std::uint64_t one = 1; one <= all; ++one) {
      INFO(one);
      CHECK(row.hit.contains(one));
    }
  }
}

}  // namespace esper
