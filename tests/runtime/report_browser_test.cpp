// report.html in a real browser: no error, every section there, and every number the report's.
#include <algorithm>

#include <catch2/catch.hpp>

#include "runtime/recount.hpp"
#include "runtime/report_page.hpp"
#include "tests/cannot_run.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/lived_run.hpp"
#include "tests/runtime/page_numbers.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

const std::filesystem::path browser = "/usr/bin/chromium";

bool can_browse() {
  if (std::filesystem::exists(browser)) return true;
  cannot_run_here("chromium is not installed (scripts/setup --test installs it)");
  return false;
}

struct Seen {
  std::string dom;
  std::string console;  ///< what the page wrote there, errors among it
  nlohmann::json self;  ///< what the page found of itself
};

/// `width`: of the page, in CSS pixels. A window is never as narrow as a phone, so the page stands
/// in a frame of that width, whose content the frame's owner then takes over.
std::string framed(int width) {
  return "<!DOCTYPE html><iframe src=\"report.html#selftest\" "
         "style=\"border:0;height:800px;width:" +
         std::to_string(width) +
         "px\"></iframe><script>onload = () => document.documentElement.innerHTML = "
         "document.querySelector('iframe').contentDocument.documentElement.innerHTML</script>";
}

Seen browse(const std::string& page, int width = 1280) {
  const ScratchFolder folder;
  write_text(folder / "report.html", page);
  write_text(folder / "frame.html", framed(width));
  Process process{
      browser,
      {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
       "--no-first-run", "--allow-file-access-from-files",
       "--user-data-dir=" + (folder / "profile").string(), "--enable-logging=stderr", "--v=0",
       "--window-size=1400,900", "--dump-dom", "file://" + (folder / "frame.html").string()},
      folder};
  REQUIRE(process.wait() == 0);
  Seen seen{process.out(), "", {}};
  std::istringstream lines{process.err()};
  for (std::string line; std::getline(lines, line);)
    if (line.find("CONSOLE") != std::string::npos) seen.console += line + '\n';
  const std::string before = "<pre id=\"selftest\">";
  const auto begin = seen.dom.find(before);
  REQUIRE(begin != std::string::npos);
  const auto end = seen.dom.find("</pre>", begin);
  seen.self =
      nlohmann::json::parse(seen.dom.substr(begin + before.size(), end - begin - before.size()));
  return seen;
}

const std::vector<std::string> sections{"arms",       "promotion", "course",     "map",
                                        "energy",     "seeds",     "proposals",  "scaffolds",
                                        "compaction", "refusals",  "scorecards", "identity"};

void check_sound(const Seen& seen) {
  CHECK(seen.console.empty());
  CHECK(seen.dom.find("id=\"script-error\"") == std::string::npos);
  CHECK(seen.self.at("sections") == sections);
  CHECK(seen.self.at("overflow") == 0);
  CHECK(seen.self.at("unnamed") == 0);
  for (const auto& section : sections) {
    INFO(section);
    CHECK(seen.dom.find("<section id=\"" + section + "\"") != std::string::npos);
    CHECK(seen.dom.find("href=\"#" + section + "\"") != std::string::npos);
  }
}

}  // namespace

SCENARIO("a browser shows the report's own numbers, all of them", "[browser]") {
  if (!can_browse()) return;
  const auto json = report_json(lived_report());
  const auto page = report_page(json, {});
  const int width = GENERATE(1280, 390);
  INFO(width);
  const auto seen = browse(page, width);
  CHECK(seen.self.at("width") == width);
  check_sound(seen);
  for (const auto& mistake : mistakes_in(seen.dom, json)) FAIL_CHECK(mistake);
  CHECK(page_numbers(seen.dom).size() > 250);
  CHECK(seen.dom.find("data-points=\"/curves/1/points\" data-count=\"12\"") != std::string::npos);
  THEN("a wrong number in it would be found") {
    auto other = nlohmann::ordered_json::parse(json);
    other["promotion"]["regression"]["grown"] = 77;
    CHECK(mistakes_in(seen.dom, other.dump()).size() == 1);
  }
}

SCENARIO("a run without anything says so in every section", "[browser]") {
  if (!can_browse()) return;
  RunReport empty;
  conclude(empty);
  const auto seen = browse(report_page(report_json(empty), {"a trouble"}));
  check_sound(seen);
  CHECK(mistakes_in(seen.dom, report_json(empty)).empty());
  for (const char* sentence :
       {"No model was finished.", "No seed ever stood in the model", "No scaffold left",
        "No window was closed", "The journal describes no region.", "No energy was minted",
        "No seed was planted", "No region made a proposal.", "No region was in crisis.",
        "No region asked for a scaffold.", "No surgery was ordered.", "No role was restarted.",
        "There is no region to score.", "a trouble"}) {
    INFO(sentence);
    CHECK(seen.dom.find(sentence) != std::string::npos);
  }
}

SCENARIO("a page of a killed run says what it can't tell", "[browser]") {
  if (!can_browse()) return;
  const auto json = report_json(recounted(LivedRun{}.entries(), R"({"name": "killed"})"));
  const auto seen = browse(report_page(json, {}));
  check_sound(seen);
  CHECK(mistakes_in(seen.dom, json).empty());
  CHECK(seen.dom.find("Ended early: ") != std::string::npos);
  CHECK(seen.dom.find("This report can't tell:") != std::string::npos);
}

SCENARIO("esper report makes a run's page again, and a browser shows it",
         "[browser][command_line][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process run{binary,
              {"run", small, "--out", "run", "--set", "training.steps_max=120", "--set",
               "baselines.host=true"},
              folder};
  REQUIRE(run.wait() == 0);
  const auto json = file_text(folder / "run/report.json");
  const auto page = file_text(folder / "run/report.html");
  std::filesystem::remove(folder / "run/report.html");
  Process again{binary, {"report", "run"}, folder};
  CHECK(again.wait() == 0);
  CHECK(again.out() == "run/report.html\n");
  CHECK(file_text(folder / "run/report.html") == page);
  Process print{binary, {"report", "run", "-o", "json"}, folder};
  CHECK(print.wait() == 0);
  CHECK(print.out() == json);
  const auto curves = nlohmann::json::parse(json).at("curves");
  REQUIRE(curves.size() == 2);  // the same windows of both arms
  CHECK(curves.at(0).at("points").size() == 12);
  CHECK(curves.at(1).at("points").size() == 12);
  CHECK(curves.at(0).at("points").at(0) == curves.at(1).at("points").at(0));
  if (!can_browse()) return;
  const auto seen = browse(page);
  check_sound(seen);
  for (const auto& mistake : mistakes_in(seen.dom, json)) FAIL_CHECK(mistake);
  THEN("a broken seal is told, with exit 5, and the page made all the same") {
    auto bytes = file_text(folder / "run/journal.db");
    ++bytes[30];
    write_text(folder / "run/journal.db", bytes);
    Process broken{binary, {"report", "run"}, folder};
    CHECK(broken.wait() == 5);
    CHECK(file_text(folder / "run/report.html").find("seal is broken") != std::string::npos);
    CHECK(browse(file_text(folder / "run/report.html")).console.empty());
  }
}

SCENARIO("a script that fails is told on the page", "[browser]") {
  if (!can_browse()) return;
  auto page = report_page("{}", {});
  const std::string start = "fillHead();";
  page.replace(page.rfind(start), start.size(), "nowhere();");
  const ScratchFolder folder;
  write_text(folder / "report.html", page);
  Process process{browser,
                  {"--headless=new", "--no-sandbox", "--disable-gpu",
                   "--user-data-dir=" + (folder / "profile").string(), "--dump-dom",
                   "file://" + (folder / "report.html").string()},
                  folder};
  REQUIRE(process.wait() == 0);
  CHECK(process.out().find("This page's script failed") != std::string::npos);
}

}  // namespace esper
