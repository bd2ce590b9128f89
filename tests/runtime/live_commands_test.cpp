// A person beside a living run: status, top and overrides at random windows, by the real commands.
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "actors/decisions/random.hpp"
#include "runtime/read_run.hpp"
#include "runtime/replay.hpp"
#include "tests/journalled.hpp"
#include "tests/runtime/esper_says.hpp"
#include "tests/runtime/process.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;

/// Asks until the run listens; 1 when it ended before.
Said first_status(const fs::path& run) {
  for (int i = 0; i < 1'000; ++i) {
    auto said = esper_says({"status", run.string(), "-o", "json"});
    if (said.exit == 0) {
      const auto status = nlohmann::json::parse(said.out);
      if (status.at("process") != 0 && !status.at("run").at("regions").empty()) return said;
    }
    usleep(20'000);
  }
  return {1, "", "the run never listened"};
}

}  // namespace

SCENARIO("overrides by command bind a living run, and its replay agrees",
         "[control_socket][overrides][training]") {
  if (!can_run(true)) return;
  RandomStream stream(test_seed(), "overrides");
  const ScratchFolder folder;
  const auto run = folder / "run";
  Process training{binary,
                   {"run", small, "--out", "run", "--set", "baselines.host=false", "--set",
                    "baselines.widened=false"},
                   folder};
  const auto status = first_status(run);
  REQUIRE(status.exit == 0);
  CHECK(nlohmann::json::parse(status.out).at("run").at("regions").size() == 3);
  CHECK(esper_says({"top", run.string(), "--once"}).exit == 0);

  // Windows far ahead, drawn anew each time: the run goes on meanwhile.
  const auto ahead = [&](std::uint64_t from) { return std::to_string(from + stream.below(3)); };
  const auto give = [&](std::vector<std::string> what) {
    what.insert(what.begin(), {"override", run.string(), "--why", "a test", "-o", "json"});
    return esper_says(std::move(what));
  };
  CHECK(give({"--freeze", "middle", "--from", ahead(12), "--until", "18"}).exit == 0);
  CHECK(give({"--escape", "early", "--from", ahead(20)}).exit == 0);
  CHECK(give({"--posture", "exploit", "--from", ahead(26), "--until", "29"}).exit == 0);
  CHECK(give({"--freeze", "nowhere", "--until", "90"}).exit == 2);
  CHECK(give({"--freeze", "middle", "--from", "1", "--until", "2"}).exit == 2);
  CHECK(give({"--grant", "early", "--until", "90"}).exit == 2);
  CHECK(training.wait() == 0);
  CHECK_FALSE(fs::exists(run / "control.sock"));
  CHECK(give({"--freeze", "middle", "--until", "90"}).exit == 4);

  const auto read = read_run(run);
  REQUIRE(read.exit == ExitCode::fine);
  const auto given = journalled<Override>(read.entries);
  REQUIRE(given.size() == 3);
  CHECK_FALSE(given[0].said.who.empty());
  CHECK(given[0].said.why == "a test");
  const Window frozen_from = given[0].window, escaped = given[1].window;
  CHECK(given[0].said.kind == OverrideKind::freeze);
  for (const auto& command : journalled<AdaptationCommand>(read.entries)) {
    const bool frozen = command.region == given[0].said.region && command.window >= frozen_from &&
                        command.window <= Window{18};
    CHECK_FALSE(frozen);
  }
  // The turn of window w is carried out at the boundary that closes w + 1.
  for (const auto& telemetry : journalled<RegionTelemetry>(read.entries))
    if (telemetry.region == given[1].said.region && telemetry.window == escaped + 1)
      for (const auto& seed : telemetry.said.seeds)
        if (seed.stage != Stage::fossilised) CHECK(seed.alpha == 0);
  CHECK_FALSE(replay(read.entries).first);
  const auto report = nlohmann::json::parse(file_text(run / "report.json"));
  CHECK(report.at("reproducible") == false);
  CHECK(report.at("first_irreproducible") == "3 overrides were given");
  const auto after = esper_says({"status", run.string(), "-o", "json"});
  CHECK(after.exit == 0);
  CHECK(nlohmann::json::parse(after.out).at("process") == 0);
}

}  // namespace esper
