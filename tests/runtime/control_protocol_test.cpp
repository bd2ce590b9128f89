#include "runtime/control/control_protocol.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "tests/property.hpp"

namespace esper {
namespace {

ControlProblem problem_of(const std::string& line) {
  nlohmann::json id;
  const auto read = read_request(line, id);
  REQUIRE_FALSE(read.has_value());
  return read.refusal().problem;
}

HostDescription two_regions() {
  HostDescription host;
  host.regions.resize(2);
  host.regions[0].name = "early";
  host.regions[1].name = "late";
  return host;
}

std::string sentence_of(const char* arguments) {
  const auto read = read_override(nlohmann::json::parse(arguments), two_regions());
  REQUIRE_FALSE(read.has_value());
  CHECK(read.refusal().problem == ControlProblem::malformed);
  return read.refusal().sentence;
}

}  // namespace

SCENARIO("a request is one object with version and command", "[control_socket]") {
  nlohmann::json id;
  const auto read = read_request(R"({"esper":1,"id":"a","command":"status"})", id);
  REQUIRE(read.has_value());
  CHECK(read.value().command == ControlCommand::status);
  CHECK(read.value().arguments.empty());
  CHECK(id == "a");
  for (const char* line : {"", "[]", "7", "{", "\"status\"", R"({"esper":1,"id":[1]})"})
    CHECK(problem_of(line) == ControlProblem::malformed);
  CHECK(problem_of("{}") == ControlProblem::unknown_version);
  CHECK(problem_of(R"({"esper":2,"command":"status"})") == ControlProblem::unknown_version);
  CHECK(problem_of(R"({"esper":1})") == ControlProblem::unknown_command);
  CHECK(problem_of(R"({"esper":1,"command":"stop"})") == ControlProblem::unknown_command);
  CHECK(problem_of(R"({"esper":1,"command":7})") == ControlProblem::unknown_command);
}

SCENARIO("whatever the line holds, it is read or refused", "[control_socket]") {
  CHECK(holds("a line is read or refused", 500, [](const std::string& line) {
    nlohmann::json id;
    const auto read = read_request(line, id);
    const auto answer = read ? answer_line(id, 1) : fault_line(id, read.refusal());
    RC_ASSERT(answer.back() == '\n');
    RC_ASSERT(answer.find('\n') == answer.size() - 1);
    RC_ASSERT(nlohmann::json::parse(answer).at("esper") == control_version);
  }));
}

SCENARIO("an override's keys are read, and each mistake is named", "[control_socket]") {
  const auto read = read_override(
      nlohmann::json::parse(
          R"({"kind":"grant","region":"late","energy":30,"from":5,"until":9,"why":"x","wait_ms":7})"),
      two_regions());
  REQUIRE(read.has_value());
  const Override& asked = read.value().asked;
  CHECK(asked.kind == OverrideKind::grant);
  CHECK(asked.region == RegionId{1});
  CHECK(asked.energy == Energy{30});
  CHECK(asked.from == Window{5});
  CHECK(asked.until == Window{9});
  CHECK(read.value().patience == std::chrono::milliseconds{7});
  CHECK(read_override(nlohmann::json::parse(R"({"kind":"escape","region":"early","why":"x"})"),
                      two_regions())
            .has_value());

  CHECK(sentence_of(R"({"region":"late","until":9,"why":"x"})").find("\"kind\" is missing") == 0);
  CHECK(sentence_of(R"({"kind":"stop","until":9,"why":"x"})").find("freeze") != std::string::npos);
  CHECK(sentence_of(R"({"kind":"freeze","until":9,"why":"x"})").find("region") !=
        std::string::npos);
  CHECK(sentence_of(R"({"kind":"freeze","region":"middle","until":9,"why":"x"})")
            .find("there are early, late") != std::string::npos);
  CHECK(sentence_of(R"({"kind":"freeze","region":"late","why":"x"})").find("until") !=
        std::string::npos);
  CHECK(sentence_of(R"({"kind":"freeze","region":"late","until":-1,"why":"x"})").find("whole") !=
        std::string::npos);
  CHECK(sentence_of(R"({"kind":"freeze","region":"late","until":9})").find("why") !=
        std::string::npos);
  CHECK(sentence_of(R"({"kind":"posture","posture":"calm","until":9,"why":"x"})").find("hold") !=
        std::string::npos);
  CHECK(sentence_of(R"({"kind":"freeze","region":"late","until":9,"why":"x","energy":3})")
            .find("no key \"energy\"") != std::string::npos);
}

}  // namespace esper
