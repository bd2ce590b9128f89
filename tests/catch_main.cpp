#define CATCH_CONFIG_RUNNER
#include "tests/cannot_run.hpp"
#include "tests/test_seed.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <string_view>

namespace esper {
namespace {

constexpr int exit_code_cannot_run = 77;
int scenarios_that_cannot_run = 0;

std::uint64_t choose_seed() {
  if (const char* given = std::getenv("ESPER_SEED"); given != nullptr && *given != '\0')
    return std::stoull(given);
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32U) | entropy();
}

}  // namespace

std::uint64_t test_seed() {
  static const std::uint64_t seed = choose_seed();
  return seed;
}

void cannot_run_here(std::string_view reason) {
  ++scenarios_that_cannot_run;
  const std::string line = Catch::getResultCapture().getCurrentTestName() +
                           ": cannot run here: " + std::string{reason} + '\n';
  std::cout << line;
  if (const char* file = std::getenv("ESPER_CANNOT_RUN_FILE"); file != nullptr)
    std::ofstream{file, std::ios::app} << line;
}

}  // namespace esper

int main(int argument_count, char** arguments) {
  Catch::Session session;
  if (const int wrong = session.applyCommandLine(argument_count, arguments); wrong != 0)
    return wrong;
  // A filter that no scenario matches is a mistake (ctest cuts a name at a semicolon), not success.
  session.configData().warnings = static_cast<Catch::WarnAbout::What>(
      session.configData().warnings | Catch::WarnAbout::NoTests);
  const Catch::ConfigData& asked = session.configData();
  const bool only_lists = asked.listTests || asked.listTags || asked.listReporters ||
                          asked.listTestNamesOnly || asked.showHelp || asked.libIdentify;
  if (!only_lists) {
    const std::string seed = std::to_string(esper::test_seed());
    std::cout << "ESPER_SEED=" << seed << std::endl;
    constexpr int keep_what_is_set = 0;
    setenv("RC_PARAMS", ("seed=" + seed).c_str(), keep_what_is_set);
  }
  const int failed = session.run();
  if (failed == 0 && esper::scenarios_that_cannot_run > 0) return esper::exit_code_cannot_run;
  return failed;
}
