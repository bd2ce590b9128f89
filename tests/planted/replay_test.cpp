// A real run's journal, audited: by these functions, by functions of which one is spoilt, and after
// edits. This executable is built with the switch that spoils them.
#include "runtime/replay.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <set>

#include <catch2/catch.hpp>

#include "actors/decisions/planted.hpp"
#include "actors/decisions/random.hpp"
#include "messages/turn.hpp"
#include "runtime/database.hpp"
#include "runtime/read_run.hpp"
#include "runtime/trace.hpp"
#include "tests/journalled.hpp"
#include "tests/long_tier.hpp"
#include "tests/planted_scope.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// Half of the smallest run, sealed.
fs::path trained(const ScratchFolder& folder) {
  Process process{
      binary, {"run", small, "--out", "run", "--set", "training.steps_max=200"}, folder};
  REQUIRE(process.wait() == 0);
  return folder / "run";
}

std::uint64_t agreed(const ReplayResult& result, const std::string& kind) {
  for (const auto& [what, count] : result.agreed)
    if (what == kind) return count;
  return 0;
}

/// The run without its report, so that no seal speaks.
fs::path unsealed_copy(const fs::path& run, const ScratchFolder& folder) {
  const auto copy = folder / "unsealed";
  fs::remove_all(copy);
  fs::create_directory(copy);
  fs::copy_file(run / "journal.db", copy / "journal.db");
  return copy;
}

void edit(const fs::path& run, const std::string& sql) {
  Database{run / "journal.db", DatabaseAccess::write}.execute(sql);
}

void check_spoilt(const std::vector<JournalEntry>& entries, Planted bug, const std::string& kind,
                  const std::string& place) {
  const PlantedScope scope(bug);
  const auto result = replay(entries);
  REQUIRE(result.first);
  CHECK(result.differing > 0);
  CHECK(result.first->kind == kind);
  const auto& fields = result.first->fields;
  REQUIRE_FALSE(fields.empty());
  CHECK(std::any_of(fields.begin(), fields.end(), [&](const ReplayField& field) {
    return field.place.find(place) != std::string::npos;
  }));
  for (const auto& field : fields) CHECK(field.journalled != field.replayed);
  REQUIRE(result.first->sequence > 0);
  CHECK(entries[result.first->sequence - 1].kind == kind);
  CHECK_FALSE(result.first->inputs.empty());
  for (const auto& input : result.first->inputs) {
    CHECK(input.sequence < result.first->sequence);
    CHECK(entries[input.sequence - 1].kind == input.kind);
  }
}

void flip_one_byte(const fs::path& file, RandomStream& stream) {
  const auto size = fs::file_size(file);
  std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
  const auto place = static_cast<std::streamoff>(stream.below(size));
  char byte = 0;
  bytes.seekg(place).get(byte);
  bytes.seekp(place).put(static_cast<char>(byte ^ static_cast<char>(1 + stream.below(255))));
}

}  // namespace

SCENARIO("AUDIT-1: a run's decisions are made again alike, and what was changed is named",
         "[replay][audit][training]") {
  if (!can_run(true)) return;
  const std::uint64_t seed = test_seed();
  RandomStream stream(seed, "edits");
  const ScratchFolder folder;
  const auto run = trained(folder);
  const auto read = read_run(run);
  REQUIRE(read.exit == ExitCode::fine);
  const auto& entries = read.entries;

  // The same functions: every decision agrees, and there were some of the common kinds.
  const auto same = replay(entries);
  CHECK_FALSE(same.first);
  CHECK(same.differing == 0);
  for (const char* kind :
       {"RegionReport", "GateVerdict", "Price", "AdaptationCommand", "OpportunityProposal",
        "StrategyPart", "Mint", "Allocation", "Verdict", "PruningAllowance"}) {
    INFO(kind);
    CHECK(agreed(same, kind) > 0);
  }
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : same.agreed) sum += count;
  CHECK(sum == same.decisions);

  // One rule changed: the first decision that differs is named with its inputs.
  check_spoilt(entries, Planted::price_weight, "Price", "/disruption");
  check_spoilt(entries, Planted::throttle_rate, "StrategyPart", "/pruning/");
  check_spoilt(entries, Planted::proposal_rank, "StrategyPart", "/verdicts/");

  // A trace leads from telemetry to outcome.
  for (const auto& [window, region, command] : journalled<AdaptationCommand>(entries)) {
    const auto roots = trace(entries, {TraceId::Kind::command, region.value, command.id.epoch.value,
                                       command.id.sequence});
    REQUIRE_FALSE(roots.empty());
    std::set<std::string> kinds;
    const std::function<void(const TraceNode&)> collect = [&](const TraceNode& node) {
      kinds.insert(node.kind);
      CHECK_FALSE(node.said.empty());
      for (const auto& next : node.follows) {
        CHECK(next.sequence > node.sequence);
        collect(next);
      }
    };
    for (const auto& root : roots) collect(root);
    INFO("command " << command.id.sequence << " of window " << window.value);
    CHECK(kinds.contains("RegionTelemetry"));
    CHECK(kinds.contains("AdaptationCommand"));
    if (window < entries.back().window) CHECK(kinds.contains("Outcome"));
    if (command.reservation) CHECK(kinds.contains("Price"));
  }

  // Any byte of the sealed file.
  const auto sealed = folder / "sealed";
  const int flips = long_tier() ? 200 : 20;
  for (int i = 0; i < flips; ++i) {
    fs::remove_all(sealed);
    fs::copy(run, sealed, fs::copy_options::recursive);
    flip_one_byte(sealed / "journal.db", stream);
    CHECK(read_run(sealed).exit != ExitCode::fine);
  }

  // Any field of the unsealed one, by SQL: the entry is named.
  const std::vector<std::string> edits{
      "sequence = sequence + 100000",
      "window = window + 1",
      "role = 'oona'",
      "region = region + 1",
      "ordinal = ordinal + 1",
      "kind = kind || 'x'",
      "cause = cause + 1",
      "payload = payload || ' '",
      "measured = measured || ' '",
      "hash = (CASE substr(hash, 1, 1) WHEN '0' THEN '1' ELSE '0' END) || substr(hash, 2)"};
  const int rows = long_tier() ? 20 : 3;
  for (const auto& change : edits)
    for (int i = 0; i < rows; ++i) {
      const auto row = 1 + stream.below(entries.size());
      const auto copy = unsealed_copy(run, folder);
      edit(copy, "UPDATE entries SET " + change + " WHERE sequence = " + std::to_string(row));
      const auto found = read_run(copy);
      INFO(change << " in entry " << row);
      CHECK(found.exit == ExitCode::invariant);
      const bool named = std::any_of(
          found.troubles.begin(), found.troubles.end(), [&](const std::string& trouble) {
            return trouble.find("breaks at entry " + std::to_string(row)) != std::string::npos;
          });
      CHECK(named);
    }

  // A tail that is cut off.
  for (const int cut : {1, 5, 20}) {
    fs::remove_all(sealed);
    fs::copy(run, sealed, fs::copy_options::recursive);
    edit(sealed, "DELETE FROM entries WHERE sequence > " +
                     std::to_string(entries.size() - static_cast<std::size_t>(cut)));
    CHECK(read_run(sealed).exit == ExitCode::invariant);
  }
}

}  // namespace esper
