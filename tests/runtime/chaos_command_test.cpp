// `esper chaos` on real runs, by the real commands: kills, hangs, poisoned weights and a full disk,
// and a verdict.
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "messages/fault.hpp"
#include "runtime/read_run.hpp"
#include "tests/journalled.hpp"
#include "tests/long_tier.hpp"
#include "tests/runtime/esper_says.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The first region in which a seed stands, as a fault aims at it; "": none did for a minute.
std::string planted_in(const fs::path& run) {
  for (int i = 0; i < 600; ++i) {
    const auto said = esper_says({"status", run.string(), "-o", "json"});
    if (said.exit == 0) {
      const auto status = json::parse(said.out);
      std::size_t place = 0;
      for (const auto& region : status.at("run").at("regions")) {
        if (!region.at("seeds").empty()) return "region." + std::to_string(place);
        ++place;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return "";
}

/// A run that ends when it is told to.
std::vector<std::string> endless(const std::string& config) {
  std::vector<std::string> arguments{"run", config, "--out", "run"};
  for (const char* set :
       {"training.steps_max=10000000", "training.epochs=100000", "training.warmup_share=0",
        "control.period_ms=3000", "control.backoff_ms_max=500", "pace.stall_ms_max=5000",
        "baselines.host=false", "baselines.widened=false", "baselines.scratch=false",
        "baselines.uncut=false"})
    arguments.insert(arguments.end(), {"--set", set});
  return arguments;
}

std::set<std::string> kinds_struck(const json& verdict) {
  std::set<std::string> kinds;
  for (const auto& standing : verdict.at("faults"))
    if (standing.at("struck_ms") > 0) kinds.insert(standing.at("fault").at("kind"));
  return kinds;
}

/// The verdict of a run under it, for a failing test to show.
json verdict_of(const Said& said) {
  INFO(said.err);
  auto verdict = json::parse(said.out, nullptr, false);
  REQUIRE(verdict.is_object());
  for (const auto& violation : verdict.at("violations")) UNSCOPED_INFO(violation.dump());
  return verdict;
}

}  // namespace

SCENARIO("a living run is killed, hung, poisoned and refused its disk, and keeps every promise",
         "[chaos][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  const auto run = folder / "run";
  Process training{binary, endless(small), folder};
  const auto region = planted_in(run);
  REQUIRE_FALSE(region.empty());
  write_text(folder / "drill.json", R"({"version": 1, "name": "drill", "faults": [
    {"kind": "poison_weights", "at_ms": 0, "target": ")" +
                                        region + R"("},
    {"kind": "kill", "target": "narset.1", "at_ms": 500, "after_events": 5},
    {"kind": "pause", "target": "tamiyo", "at_ms": 1500, "duration_ms": 1500},
    {"kind": "kill", "target": "kasmina", "at_ms": 3500, "after_events": 9},
    {"kind": "disk_full", "at_ms": 4500, "duration_ms": 2000},
    {"kind": "telemetry_nan", "target": "region.1", "at_ms": 7000, "duration_ms": 3500},
    {"kind": "escape", "target": "region.0", "at_ms": 7500},
    {"kind": "disk_crash_after", "at_ms": 9000},
    {"kind": "kill", "target": "tamiyo", "at_ms": 11000, "after_events": 3}]})");
  const auto drill = (folder / "drill.json").string();

  // Refused up front: too wide, and what cannot befall it.
  const auto wide = esper_says({"chaos", run.string(), drill});
  CHECK(wide.exit == 2);
  CHECK(wide.err.find("--blast") != std::string::npos);
  const auto melting = source_directory() / "configs/rehearsals/melt_down_in_three_regions.json";
  const auto impossible = esper_says({"chaos", run.string(), melting.string()});
  CHECK(impossible.exit == 2);
  CHECK(impossible.err.find("training.disturbances") != std::string::npos);
  write_text(folder / "wrong.json", R"({"version": 1, "name": "w", "faults": [{"kind": "kil"}]})");
  CHECK(esper_says({"chaos", run.string(), (folder / "wrong.json").string()}).exit == 2);

  const auto said = esper_says({"chaos", run.string(), drill, "--blast", "20", "-o", "json"});
  const auto verdict = verdict_of(said);
  CHECK(said.exit == 0);
  CHECK(verdict.at("violations").empty());
  CHECK(kinds_struck(verdict) == std::set<std::string>{"kill", "pause", "poison_weights",
                                                       "disk_full", "telemetry_nan", "escape",
                                                       "disk_crash_after"});

  // A fault that waits for more messages than come.
  write_text(folder / "never.json", R"({"version": 1, "name": "never", "faults": [
    {"kind": "kill", "target": "tamiyo", "at_ms": 0, "after_events": 1000000}]})");
  const auto never = esper_says({"chaos", run.string(), (folder / "never.json").string(),
                                 "--duration-ms", "300", "-o", "json"});
  CHECK(never.exit == 1);
  CHECK(verdict_of(never).at("faults")[0].at("state") == "missed");

  training.signal(SIGINT);
  CHECK(training.wait() == 130);
  CHECK(esper_says({"chaos", run.string(), drill}).exit == 4);
  CHECK(esper_says({"chaos", (folder / "nowhere").string(), drill}).exit == 4);

  // What befell it stands in its journal, with who asked, and it is no run of its seed alone.
  const auto read = read_run(run);
  REQUIRE(read.exit == ExitCode::fine);
  const auto injected = journalled<InjectedFault>(read.entries);
  CHECK(injected.size() == 9);
  for (const auto& one : injected) {
    CHECK_FALSE(one.said.who.empty());
    CHECK(one.said.rehearsal == "drill");
  }
  const auto report = json::parse(file_text(run / "report.json"));
  CHECK(report.at("reproducible") == false);
  CHECK(report.at("first_irreproducible").get<std::string>().ends_with("faults were injected"));
  // A poisoned seed on the graph is met by the reflex, one in isolation by its gate.
  bool noticed = false;
  for (const auto& outcome : journalled<Outcome>(read.entries))
    noticed = noticed || (outcome.said.reflex && outcome.said.cause.starts_with("non_finite"));
  for (const auto& telemetry : journalled<RegionTelemetry>(read.entries))
    for (const auto& seed : telemetry.said.seeds)
      noticed = noticed || seed.non_finite > 0 || (seed.gate.measured && !seed.gate.finite);
  CHECK(noticed);
}

SCENARIO("a client that goes leaves nothing behind: the run heals by itself", "[chaos][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder, client_folder;
  const auto run = folder / "run";
  write_text(folder / "hang.json", R"({"version": 1, "name": "hang", "faults": [
    {"kind": "pause", "target": "tamiyo", "at_ms": 0, "duration_ms": 100000},
    {"kind": "disk_full", "at_ms": 0, "duration_ms": 100000}]})");
  Process training{binary, endless(small), folder};
  REQUIRE_FALSE(planted_in(run).empty());
  Process client{binary,
                 {"chaos", run.string(), (folder / "hang.json").string(), "--duration-ms", "3000"},
                 client_folder};
  for (int i = 0; i < 200 && client.err().find("pause") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  client.signal(SIGKILL);
  CHECK(client.wait() == 128 + SIGKILL);
  const auto window = [&] {
    return json::parse(esper_says({"status", run.string(), "-o", "json"}).out)
        .at("run")
        .at("window")
        .get<std::uint64_t>();
  };
  const auto hung_at = window();
  bool goes_on = false;
  for (int i = 0; i < 300 && !goes_on; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    goes_on = window() > hung_at + 3;
  }
  CHECK(goes_on);
  training.signal(SIGINT);
  CHECK(training.wait() == 130);
  CHECK(file_text(run / "esper.log").find("its duration is over") != std::string::npos);
}

SCENARIO("every rehearsal that ships and can befall a living run passes on the Fashion host",
         "[chaos][training][long]") {
  if (!long_tier() || !can_run(true)) return;
  for (const char* name :
       {"controller_loss_mid_graft", "crash_during_surgery", "every_controller_dead",
        "hung_controller", "journal_disk_full", "tamiyo_loss"}) {
    INFO(name);
    const ScratchFolder folder;
    const auto run = folder / "run";
    const auto fashion = (source_directory() / "configs/fashion.json").string();
    Process training{binary, endless(fashion), folder};
    REQUIRE_FALSE(planted_in(run).empty());
    const auto file = source_directory() / "configs/rehearsals" / (std::string{name} + ".json");
    const auto said = esper_says(
        {"chaos", run.string(), file.string(), "--blast", "20", "--skip-impossible", "-o", "json"});
    const auto verdict = verdict_of(said);
    CHECK(said.exit == 0);
    CHECK(verdict.at("violations").empty());
    CHECK_FALSE(verdict.at("faults").empty());
    training.signal(SIGINT);
    CHECK(training.wait() == 130);
  }
}

}  // namespace esper
