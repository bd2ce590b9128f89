// What a config leaves to its host, and what a host has no place for.
#include <fstream>

#include <catch2/catch.hpp>

#include "runtime/config.hpp"
#include "tests/runtime/scratch_folder.hpp"

namespace esper {
namespace {

std::string with(const std::string& more) {
  return "{\"version\": 1, \"name\": \"test\"" + (more.empty() ? "" : ",\n" + more) + "}";
}

ParsedConfig parsed_text(const std::string& text) { return parse_config(text, "test.json", {}); }

const ConfigMistake* mistake_at(const ParsedConfig& parsed, const std::string& key) {
  for (const auto& mistake : parsed.mistakes)
    if (mistake.key == key) return &mistake;
  return nullptr;
}

}  // namespace

SCENARIO("what follows from the host does so where a config is silent", "[config]") {
  const ScratchFolder folder;
  const auto text = folder.path() / "text";
  std::ofstream(text) << "words";
  const auto host = [](const std::string& more) {
    return with("\"model\": {\"host\": \"byte_transformer\"}, " + more);
  };
  const std::string samples =
      R"("time": {"gate_samples": 64, "verdict_samples": 64}, "compaction": {"importance_samples": 64},)";
  const auto parsed = parsed_text(
      host(samples + R"("data": {"gate_samples": 64, "path": ")" + text.string() + "\"}"));
  for (const auto& mistake : parsed.mistakes) UNSCOPED_INFO(sentence_of(mistake));
  REQUIRE(parsed.mistakes.empty());
  CHECK(parsed.config.model.size == "lm-64");
  CHECK(parsed.config.data.path == text.string());
  CHECK(parsed_text(host(R"("seed": 2)")).config.data.path == "/usr/share/dictd/gcide.dict.dz");
  CHECK(parsed_text(with("")).config.data.path == "/usr/share/datasets/fashion-mnist");
  CHECK(parsed_text(with("")).config.model.size == "tiny");
  const auto again = parsed_text(effective_config(parsed.config));
  CHECK(again.mistakes.empty());
  CHECK(effective_config(again.config) == effective_config(parsed.config));

  const auto wrong = [&](const std::string& more, const std::string& key, const std::string& part) {
    INFO(more);
    const auto found = parsed_text(host(more));
    const auto* mistake = mistake_at(found, key);
    REQUIRE(mistake != nullptr);
    INFO(sentence_of(*mistake));
    CHECK(sentence_of(*mistake).find(part) != std::string::npos);
  };
  wrong(R"("data": {"path": "/no/such/text"})", "data.path", "install Debian's dict-gcide");
  wrong(R"("blueprints": {"use": ["causal_depthwise", "bottleneck"]})", "blueprints.use[1]",
        "no slot of byte_transformer has");
  wrong(R"("blueprints": {"add": [{"name": "a", "kind": "normalisation"}]})",
        "blueprints.add[0].kind", "write one of layer_normalisation");
  CHECK(mistake_at(parsed_text(with(R"("blueprints": {"use": ["attention_head"]})")),
                   "blueprints.use[0]") != nullptr);
  CHECK(mistake_at(parsed_text(host(R"("blueprints": {"add": [{"name": "a", "kernel": 6,
                               "kind": "causal_depthwise"}]})")),
                   "blueprints.add[0].kernel") == nullptr);
  CHECK(mistake_at(parsed_text(with(R"("model": {"host": "byte_transformer", "size": "tiny"})")),
                   "model.size") != nullptr);
}

}  // namespace esper
