#include "runtime/telemetry_export.hpp"

#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

std::vector<nlohmann::json> json_lines(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  std::istringstream text{file_text(file)};
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace

SCENARIO("metrics come from one registry", "[metrics]") {
  GIVEN("counters, gauges and a histogram from several threads") {
    RegistryMetrics metrics;
    {
      std::vector<std::jthread> threads(4);
      for (auto& thread : threads)
        thread = std::jthread([&] {
          for (int k = 0; k < 100; ++k) {
            metrics.add("esper_turns_total", "journal", "", 1);
            metrics.observe("esper_turn_seconds", "tamiyo", 0.005);
          }
        });
    }
    metrics.set("esper_breaker_open", "narset", "early", 0);
    metrics.set("esper_breaker_open", "tamiyo", "", 1);
    THEN("a snapshot holds every series once") {
      const auto all = nlohmann::json::parse(metrics.snapshot());
      CHECK(all.size() == 4);
      CHECK(all.at("esper_turns_total{role=\"journal\"}") == 400);
      CHECK(all.at("esper_breaker_open{region=\"early\",role=\"narset\"}") == 0);
      const auto& turns = all.at("esper_turn_seconds{role=\"tamiyo\"}");
      CHECK(turns.at("count") == 400);
      CHECK(turns.at("buckets").at("0.001") == 0);
      CHECK(turns.at("buckets").at("0.01") == 400);
      CHECK(turns.at("buckets").at("+Inf") == 400);
    }
    THEN("only what stands above 0 is listed") {
      const auto open = metrics.positive("esper_breaker_open");
      REQUIRE(open.size() == 1);
      CHECK(open[0].what == "esper_breaker_open{role=\"tamiyo\"}");
    }
    THEN("a foreign name, or one name for two kinds, is a bug") {
      CHECK_THROWS_AS(metrics.add("turns", "", "", 1), InvariantViolation);
      CHECK_THROWS_AS(metrics.set("esper_turns_total", "", "", 1), InvariantViolation);
    }
    THEN("the file grows by one line per call") {
      const ScratchFolder folder;
      {
        MetricsFile file{folder / "metrics.jsonl", metrics, std::chrono::hours{1}};
        file.at(Step{3});
        CHECK(file.write());
        metrics.add("esper_turns_total", "journal", "", 1);
        file.at(Step{4});
      }
      const auto lines = json_lines(folder / "metrics.jsonl");
      REQUIRE(lines.size() == 2);  // the second as it closed
      CHECK(lines[0].at("step") == 3);
      CHECK(lines[1].at("step") == 4);
      CHECK(lines[1].at("metrics").at("esper_turns_total{role=\"journal\"}") == 401);
    }
    THEN("the file grows by itself") {
      const ScratchFolder folder;
      const MetricsFile file{folder / "metrics.jsonl", metrics, std::chrono::milliseconds{1}};
      while (file_text(folder / "metrics.jsonl").empty()) std::this_thread::yield();
    }
    THEN("a disk that refuses is told") {
      MetricsFile file{"/no/such/folder/metrics.jsonl", metrics, std::chrono::hours{1}};
      CHECK_FALSE(file.write());
    }
  }
}

SCENARIO("the log is JSON lines, complete when it is closed", "[log]") {
  const ScratchFolder folder;
  {
    JsonLog log{folder / "esper.log"};
    log.write(LogLevel::info, "began \"quoted\"\n{}", "{\"seed\": 3}");
    for (int i = 0; i < 1'000; ++i) log.write(LogLevel::debug, "step", "");
    log.write(LogLevel::warning, "late", "");
  }
  const auto lines = json_lines(folder / "esper.log");
  REQUIRE(lines.size() == 1'002);
  CHECK(lines.front().at("event") == "began \"quoted\"\n{}");
  CHECK(lines.front().at("details").at("seed") == 3);
  CHECK(lines.front().at("level") == "info");
  CHECK(lines.front().at("time").get<std::string>().ends_with("Z"));
  CHECK(lines.back().at("level") == "warning");
  CHECK_THROWS_AS(JsonLog("/proc/nothing/esper.log"), std::runtime_error);
}

}  // namespace esper
