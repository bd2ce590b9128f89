#include "runtime/config.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "runtime/config_checks.hpp"
#include "runtime/json_positions.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/scratch_folder.hpp"
#include "tests/test_seed.hpp"

namespace esper {
namespace {

/// A config that is right but for what `more` adds after line 1.
std::string with(const std::string& more) {
  return "{\"version\": 1, \"name\": \"test\"" + (more.empty() ? "" : ",\n" + more) + "}";
}

ParsedConfig parsed_text(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_config(text, "test.json", overrides);
}

ConfigMistake only_mistake(const ParsedConfig& parsed) {
  for (const auto& mistake : parsed.mistakes) UNSCOPED_INFO(sentence_of(mistake));
  REQUIRE(parsed.mistakes.size() == 1);
  CHECK_FALSE(parsed.mistakes[0].remedy.empty());
  return parsed.mistakes[0];
}

const ConfigMistake* mistake_at(const ParsedConfig& parsed, const std::string& key) {
  for (const auto& mistake : parsed.mistakes)
    if (mistake.key == key) return &mistake;
  return nullptr;
}

}  // namespace

SCENARIO("a short config is the defaults", "[config]") {
  GIVEN("version and name") {
    const auto parsed = parsed_text(with(""));
    THEN("everything else stands at its default") {
      for (const auto& mistake : parsed.mistakes) UNSCOPED_INFO(sentence_of(mistake));
      REQUIRE(parsed.mistakes.empty());
      RunConfig defaults;
      defaults.name = "test";
      CHECK(effective_config(parsed.config) == effective_config(defaults));
    }
    THEN("the effective config parses back to itself") {
      const auto again = parsed_text(effective_config(parsed.config));
      CHECK(again.mistakes.empty());
      CHECK(effective_config(again.config) == effective_config(parsed.config));
    }
  }
  GIVEN("a key of each type") {
    const auto parsed = parsed_text(with(
        R"("seed": 18446744073709551615, "mode": "observe", "training": {"batch": 64.0},
           "data": {"augment": false}, "budget": {"emergency_share": 0.25},
           "gates": {"alpha_stages": [0.5, 1]}, "blueprints": {"use": ["norm"], "add":
           [{"name": "wild", "kind": "plain_convolution", "kernel": 3}]})"));
    THEN("each is read exactly") {
      CHECK(parsed.config.seed == 18'446'744'073'709'551'615U);
      CHECK(parsed.config.mode == Mode::observe);
      CHECK(parsed.config.training.batch == 64);
      CHECK_FALSE(parsed.config.data.augment);
      CHECK(parsed.config.budget.emergency_share == 0.25);
      CHECK(parsed.config.gates.alpha_stages == std::vector<double>{0.5, 1});
      CHECK(parsed.config.blueprints.add.at(0).kind == BlueprintKind::plain_convolution);
      CHECK(parsed.config.blueprints.add.at(0).learning_rate_scale == 1);
    }
  }
}

SCENARIO("each mistake names its place, its key and its remedy", "[config]") {
  GIVEN("an unknown key") {
    const auto mistake = only_mistake(parsed_text(with("  \"training\": {\"bath\": 3}")));
    CHECK(mistake.line == 2);
    CHECK(mistake.column == 16);
    CHECK(mistake.key == "training.bath");
    CHECK(mistake.nearest == "training.batch");
    CHECK(sentence_of(mistake).starts_with("test.json:2:16: training.bath: unknown key"));
  }
  GIVEN("a key in the wrong section") {
    CHECK(only_mistake(parsed_text(with("\"batch\": 3"))).nearest == "training.batch");
  }
  GIVEN("a key that resembles nothing") {
    const auto mistake = only_mistake(parsed_text(with("\"zzzzzzzzzz\": 3")));
    CHECK(mistake.nearest.empty());
  }
  GIVEN("a duplicate key") {
    const auto mistake = only_mistake(parsed_text(with("\"seed\": 1,\n\"seed\": 2")));
    CHECK(mistake.line == 3);
    CHECK(mistake.column == 1);
    CHECK(mistake.problem.find("line 2") != std::string::npos);
  }
  GIVEN("missing keys") {
    const auto parsed = parsed_text("{}");
    REQUIRE(parsed.mistakes.size() >= 2);
    CHECK(mistake_at(parsed, "version") != nullptr);
    CHECK(mistake_at(parsed, "name") != nullptr);
    const auto element = parsed_text(with("\"blueprints\": {\"add\": [{}]}"));
    CHECK(mistake_at(element, "blueprints.add[0].name") != nullptr);
    CHECK(mistake_at(element, "blueprints.add[0].kind") != nullptr);
  }
  GIVEN("values of a wrong type") {
    for (const auto* wrong :
         {"\"seed\": \"one\"", "\"seed\": 1.5", "\"seed\": [1]", "\"seed\": null", "\"seed\": true",
          "\"mode\": \"fast\"", "\"mode\": 1", "\"pace\": \"free\"", "\"data\": {\"augment\": 1}",
          "\"data\": {\"path\": 1}", "\"gates\": {\"alpha_stages\": 1}",
          "\"gates\": {\"alpha_stages\": [\"a\"]}"}) {
      INFO(wrong);
      const auto mistake = only_mistake(parsed_text(with(wrong)));
      CHECK(mistake.line == 2);
      CHECK(mistake.problem.find(" is not ") != std::string::npos);
    }
  }
  GIVEN("numbers out of range") {
    for (const auto* wrong :
         {"\"seed\": -1", "\"seed\": 1e30", "\"training\": {\"batch\": 0}",
          "\"training\": {\"batch\": 4294967296}", "\"training\": {\"learning_rate\": 0}",
          "\"training\": {\"learning_rate\": -1}", "\"budget\": {\"emergency_share\": 1.5}",
          "\"gates\": {\"alpha_stages\": [0, 1]}", "\"gates\": {\"alpha_stages\": [0.5, 1.5]}"}) {
      INFO(wrong);
      const auto mistake = only_mistake(parsed_text(with(wrong)));
      CHECK(mistake.problem.find("out of range") != std::string::npos);
    }
  }
  GIVEN("numbers that are not finite") {
    for (const auto* wrong : {"1e999", "-1e999", "NaN", "Infinity", "-Infinity"}) {
      INFO(wrong);
      const auto parsed = parsed_text(
          with(std::string{"\"training\": {\"learning_rate\": "} + wrong + ", \"bath\": 1}"));
      REQUIRE(parsed.mistakes.size() == 2);
      CHECK(parsed.mistakes[0].key == "training.learning_rate");
      CHECK(parsed.mistakes[0].column == 31);
      CHECK(parsed.mistakes[0].problem.find("finite") != std::string::npos);
      CHECK(parsed.mistakes[1].key == "training.bath");
      CHECK(parsed.mistakes[1].column == 33 + std::string_view{wrong}.size());
    }
  }
  GIVEN("JSON that breaks off") {
    const auto text = with("\"training\": {\"batch\": 0, \"epochs\": 3}");
    const auto parsed = parsed_text(text.substr(0, text.size() - 12));
    THEN("the end is named, and what stood before it is still checked") {
      REQUIRE(parsed.mistakes.size() == 2);
      CHECK(parsed.mistakes[0].key == "training.batch");
      CHECK(parsed.mistakes[1].problem.find("ends too early") != std::string::npos);
    }
    CHECK(only_mistake(parsed_text("")).problem.find("ends too early") != std::string::npos);
  }
  GIVEN("a mark too many at the very end") {
    const auto mistake = only_mistake(parsed_text("{\"version\": 1, \"name\": \"test\",}"));
    CHECK(mistake.problem.find("not JSON") != std::string::npos);
    CHECK(mistake.column == 31);
  }
  GIVEN("nesting without end") {
    const auto parsed = parsed_text("{\"version\": " + std::string(200'000, '['));
    REQUIRE_FALSE(parsed.mistakes.empty());
    CHECK(parsed.mistakes.back().problem.find("64 deep") != std::string::npos);
  }
  GIVEN("line ends in a name") {
    const auto mistake = only_mistake(parsed_text(with("\"a\\nb\\u001b[1m\": 1")));
    CHECK(sentence_of(mistake).find_first_of("\n\x1b") == std::string::npos);
  }
  GIVEN("a range that only the type bounds, and one of a single value") {
    const auto seed = only_mistake(parsed_text(with("\"seed\": 18446744073709551616")));
    CHECK(seed.remedy.find("18446744073709551615") != std::string::npos);
    const auto version = only_mistake(parsed_text("{\"version\": 3, \"name\": \"test\"}"));
    CHECK(version.remedy == "give 1");
  }
  GIVEN("text that is not JSON, or JSON that is no object") {
    const auto mistake = only_mistake(parsed_text("{\"version\": 1,\n  name: 2}"));
    CHECK(mistake.line == 2);
    CHECK(mistake.column == 4);  // "na" begins no literal
    CHECK(mistake.problem.find("not JSON") != std::string::npos);
    CHECK(only_mistake(parsed_text("[1]")).problem.find("an object") != std::string::npos);
    CHECK_FALSE(parsed_text("3").mistakes.empty());
  }
  GIVEN("a data folder that is not there, and one that lacks files") {
    const ScratchFolder folder;
    const auto data = [](const std::string& path) {
      return with("\"data\": {\"path\": \"" + path + "\"}");
    };
    CHECK(only_mistake(parsed_text(data("/no/such/folder"))).key == "data.path");
    CHECK(parsed_text(data(folder.path().string())).mistakes.size() == 4);
  }
  GIVEN("a file that can't be read") {
    CHECK(only_mistake(load_config("/no/such/config.json")).file == "/no/such/config.json");
    CHECK(load_config("/tmp").mistakes.size() == 1);
  }
}

SCENARIO("contradictions are found where their key stands", "[config]") {
  const auto found = [](const std::string& more, const std::string& key) {
    INFO(more);
    const auto parsed = parsed_text(with(more));
    for (const auto& mistake : parsed.mistakes) UNSCOPED_INFO(sentence_of(mistake));
    const auto* mistake = mistake_at(parsed, key);
    REQUIRE(mistake != nullptr);
    CHECK(mistake->line == 2);
    CHECK_FALSE(mistake->remedy.empty());
  };
  found(R"("gates": {"ramp_hold_ratio": 1.05})", "gates.ramp_hold_ratio");
  found(R"("gates": {"signal_min": 10})", "gates.signal_min");
  found(R"("gates": {"updates_min": 100000})", "gates.updates_min");
  found(R"("gates": {"alpha_stages": []})", "gates.alpha_stages");
  found(R"("gates": {"alpha_stages": [0.5, 0.5, 1]})", "gates.alpha_stages[1]");
  found(R"("gates": {"ramp_windows_max": 3})", "gates.ramp_windows_max");
  found(R"("gates": {"stable_windows": 9})", "gates.stable_windows");
  found(R"("gates": {"shadow_passes_needed": 15})", "gates.shadow_passes_needed");
  found(R"("gates": {"trial_windows_max": 21})", "gates.trial_windows_max");
  found(R"("budget": {"emergency_share": 0.6, "safety_share": 0.6})", "budget.emergency_share");
  found(R"("budget": {"germinate_share": 0.5})", "budget.germinate_share");
  found(R"("budget": {"weight_norm": 0.9})", "budget.weight_norm");
  found(R"("training": {"warmup_share": 0.8})", "training.warmup_share");
  found(R"("training": {"batch": 2000}, "data": {"training_samples": 1000})", "training.batch");
  found(R"("time": {"gate_samples": 6000})", "time.gate_samples");
  found(R"("time": {"verdict_samples": 6000})", "time.verdict_samples");
  found(R"("data": {"training_samples": 58000})", "data.training_samples");
  found(R"("control": {"backoff_ms_first": 6000})", "control.backoff_ms_first");
  found(R"("blueprints": {"add": [{"name": "a", "kind": "spatial_depthwise", "kernel": 4}]})",
        "blueprints.add[0].kernel");
  found(R"("blueprints": {"add": [{"name": "a", "kind": "low_rank"}]})",
        "blueprints.add[0].reduction");
  found(R"("blueprints": {"add": [{"name": "a", "kind": "bottleneck", "reduction": 2}]})",
        "blueprints.add[0].kernel");
  found(R"("blueprints": {"add": [{"name": "a", "kind": "low_rank", "kernel": 3}]})",
        "blueprints.add[0].kernel");
  found(R"("blueprints": {"add": [{"name": "a", "kind": "normalisation", "reduction": 3}]})",
        "blueprints.add[0].reduction");
  found(R"("blueprints": {"add": [{"name": "", "kind": "normalisation"}]})",
        "blueprints.add[0].name");
  found(R"("blueprints": {"add": [{"name": "a", "kind": "normalisation"}, )"
        R"({"name": "a", "kind": "normalisation"}]})",
        "blueprints.add[1].name");
  found(R"("model": {"regions": [{"name": "", "parameters": ["conv"]}]})", "model.regions[0].name");
  found(R"("model": {"host": "mnist"})", "model.host");
  found(R"("model": {"size": "huge"})", "model.size");
  found(R"("blueprints": {"use": ["low_rank", "magic"]})", "blueprints.use[1]");
  found(R"("blueprints": {"add": [{"name": "low_rank", "kind": "normalisation"}]})",
        "blueprints.add[0].name");
  found(R"("model": {"regions": [{"name": "a", "parameters": ["nothing."]}]})", "model.regions[0]");
  found(R"("model": {"regions": [{"name": "a", "parameters": ["conv"]}, )"
        R"({"name": "b", "parameters": ["conv"]}]})",
        "model.regions[1]");
  CHECK(mistake_at(parsed_text("{\"version\": 1, \"name\": \"../up\"}"), "name") != nullptr);
}

SCENARIO("all mistakes come at once, in the text's order", "[config]") {
  const auto parsed = parsed_text(R"({
    "version": 2,
    "sead": 1,
    "training": {"batch": "big", "epochs": 0},
    "gates": {"ramp_hold_ratio": 2},
    "training": {}
  })");
  std::vector<std::uint64_t> lines;
  for (const auto& mistake : parsed.mistakes) lines.push_back(mistake.line);
  CHECK(lines == std::vector<std::uint64_t>{1, 2, 3, 4, 4, 5, 6});  // line 1: no name
}

SCENARIO("overrides win, and their mistakes name their text", "[config]") {
  GIVEN("overrides of each kind") {
    const auto parsed = parsed_text(with("\"seed\": 5, \"training\": {\"batch\": 32}"),
                                    {"seed=7", "name=other", "gates.alpha_stages=[0.5,1]",
                                     "training.epochs=9", "seed=8", "data.augment=false"});
    REQUIRE(parsed.mistakes.empty());
    CHECK(parsed.config.seed == 8);
    CHECK(parsed.config.name == "other");
    CHECK(parsed.config.training.batch == 32);
    CHECK(parsed.config.training.epochs == 9);
    CHECK(parsed.config.gates.alpha_stages.size() == 2);
    CHECK_FALSE(parsed.config.data.augment);
  }
  GIVEN("wrong ones") {
    for (const auto* wrong :
         {"seed", "=3", "seed=", "seed=one", "training.bath=3", "seed.low=3", "seed=1e999",
          "training.learning_rate=-1e999", "gates.alpha_stages=[0.5", "pace={\"mode\" 1}",
          "pace={\"mode\": \"free\", \"mode\": \"lockstep\"}", "gates.alpha_stages=[2]",
          "blueprints.add=[{\"kind\": \"normalisation\"}]", "gates.signal_min=20"}) {
      INFO(wrong);
      const auto mistake = only_mistake(parsed_text(with(""), {"seed=3", wrong}));
      CHECK(mistake.file == std::string{"--set "} + wrong);
      CHECK(mistake.line == 0);
      CHECK(mistake.column == 0);
    }
    CHECK(only_mistake(parsed_text(with(""), {"seed=1e999"})).key == "seed");
    CHECK(only_mistake(parsed_text(with(""), {"seed=1e999"})).problem.find("finite") !=
          std::string::npos);
    CHECK(only_mistake(parsed_text("[1]", {"seed=3"})).problem.find("an object") !=
          std::string::npos);
    const auto close = parsed_text(with(""), {"training.bath=3"});
    CHECK(close.mistakes.at(0).nearest == "training.batch");
  }
}

SCENARIO("parameters that no region holds are one mistake", "[config]") {
  const auto parsed =
      parsed_text(with(R"("model": {"regions": [{"name": "a", "parameters": ["conv"]}]})"));
  const auto mistake = only_mistake(parsed);
  CHECK(mistake.key == "model.regions");
  CHECK(mistake.problem == "no region holds norm0.weight, nor 9 more");
  CHECK(mistake.remedy.find("head") != std::string::npos);
}

SCENARIO("the shipped configs are right", "[config]") {
  for (const std::string name : {"small", "fashion", "dictionary"}) {
    const auto parsed = load_config((source_directory() / "configs" / (name + ".json")).string());
    for (const auto& mistake : parsed.mistakes)
      if (mistake.key != "data.path") FAIL_CHECK(sentence_of(mistake));  // data: a package
    CHECK(parsed.config.name == name);
  }
}

SCENARIO("the logical part leaves out what no decision depends on", "[config]") {
  RunConfig base;
  auto other = base;
  other.name = "other";
  other.pace.mode = Pace::free;
  other.control.threads = 9;
  other.control.delay_ms_max = 50;
  other.data.path = "/elsewhere";
  other.baselines.host = false;
  CHECK(logical_config(other) == logical_config(base));
  other.seed = 2;
  CHECK(logical_config(other) != logical_config(base));
  other = base;
  other.gates.alpha_stages.back() = 0.999;
  CHECK(logical_config(other) != logical_config(base));
}

SCENARIO("no text makes the parser fail, and positions lie inside it", "[config]") {
  const std::string good = effective_config(parsed_text(with("")).config);
  REQUIRE(rc::check("a damaged config is parsed or has mistakes", [&] {
    auto text = good;
    const auto edits = *rc::gen::inRange(1, 6);
    for (int i = 0; i < edits; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          text[at] = *rc::gen::element('{', '}', '"', ',', ':', '9', 'e', '-', '\\', '\n');
          break;
        case 1:
          text.erase(at, *rc::gen::inRange<std::size_t>(1, 30));
          break;
        default:
          text.insert(at, *rc::gen::element<std::string>("1e999", "null", "[", "\"", "NaN"));
      }
      if (text.empty()) text = "{";
    }
    const auto parsed = parsed_text(text);
    const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    for (const auto& mistake : parsed.mistakes) {
      RC_ASSERT(mistake.line >= 1 && mistake.line <= lines);
      RC_ASSERT(!sentence_of(mistake).empty());
    }
  }));
}

}  // namespace esper
