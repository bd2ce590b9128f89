// The key list, what is published of it, and what the documents say.
#include <set>

#include <catch2/catch.hpp>

#include "runtime/config.hpp"
#include "runtime/config_keys.hpp"
#include "runtime/config_rules.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {

SCENARIO("every key has a rule and a description, and every rule a key", "[config]") {
  std::set<std::string> keys;
  for_each_key(RunConfig{}, "", [&](const std::string& key, const auto&) {
    INFO(key);
    keys.insert(key);
    const auto* rule = rule_of(key);
    REQUIRE(rule != nullptr);
    CHECK(rule->description.ends_with("."));
    CHECK(rule->description.size() > 10);
  });
  for (const auto& rule : key_rules) {
    INFO(rule.key);
    CHECK(keys.count(std::string{rule.key}) == 1);
  }
  CHECK(keys.size() == key_rules.size());
}

SCENARIO("the published schema is the one in the binary", "[config]") {
  CHECK(file_text(source_directory() / "configs/schema.json") == json_schema());
}

SCENARIO("docs/config.md lists the keys that the binary reads", "[config]") {
  const auto text = file_text(source_directory() / "docs/config.md");
  const std::string begin = "<!-- esper validate --keys -->\n";
  REQUIRE(text.find(begin) != std::string::npos);
  CHECK(text.substr(text.find(begin) + begin.size()) == config_reference());
}

SCENARIO("docs/config.md shows mistakes as they are told", "[config]") {
  const auto text = file_text(source_directory() / "docs/config.md");
  const std::string bad = R"({"version": 1,
"name": "bad", "sead": 3,
"training": {"batch": 0}})";
  REQUIRE(text.find("$ cat bad.json\n" + bad + "\n$ esper validate bad.json --set seed=one\n") !=
          std::string::npos);
  const auto parsed = parse_config(bad, "bad.json", {"seed=one"});
  CHECK(parsed.mistakes.size() == 3);
  for (const auto& mistake : parsed.mistakes)
    CHECK(text.find("\n" + sentence_of(mistake) + "\n") != std::string::npos);
}

}  // namespace esper
