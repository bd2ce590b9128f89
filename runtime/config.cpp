#include "runtime/config.hpp"

#include <algorithm>

#include "actors/decisions/host_catalogue.hpp"
#include "runtime/config_checks.hpp"
#include "runtime/config_reader.hpp"
#include "runtime/nearest_key.hpp"
#include "runtime/read_file.hpp"

namespace esper {
ConfigMistake mistake_of(const JsonFlaw& flaw, const std::string& file) {
  ConfigMistake mistake{file, flaw.at.line, flaw.at.column, flaw.key, "", "", ""};
  switch (flaw.kind) {
    case JsonFlawKind::syntax:
      mistake.problem = "not JSON: " + flaw.text;
      mistake.remedy = "correct the text here";
      break;
    case JsonFlawKind::cut_off:
      mistake.problem = "the text ends too early: " + flaw.text;
      mistake.remedy = "close what is open";
      break;
    case JsonFlawKind::duplicate:
      mistake.problem = "given twice, " + flaw.text;
      mistake.remedy = "keep one of them";
      break;
    case JsonFlawKind::not_finite:
      mistake.problem = flaw.text + " is not a finite number";
      mistake.remedy = "give a finite number";
      break;
  }
  return mistake;
}

namespace {

void place_all(JsonNode& node, const TextPosition& at) {
  node.at = at;
  for (auto& element : node.elements) place_all(element, at);
  for (auto& member : node.members) {
    member.key_at = at;
    place_all(member.value, at);
  }
}

/// The part of "a.b=c" after '=': JSON where it is JSON, else text. A flaw in what can only be
/// meant as JSON is a mistake.
JsonNode override_value(const std::string& key, const std::string& text, const TextPosition& at,
                        ConfigReader& reader) {
  auto document = parse_positioned(text);
  const char first = text.empty() ? ' ' : text.front();
  const bool is_json = document.complete && document.flaws.empty();
  const bool is_number = document.complete && (first == '-' || (first >= '0' && first <= '9'));
  JsonNode node;
  node.scalar = text;
  if (is_json || is_number || first == '{' || first == '[') {
    for (const auto& flaw : document.flaws) {
      const auto mistake = mistake_of(flaw, "");
      const bool joins = !flaw.key.empty() && flaw.key.front() != '[';
      reader.report(at, joins ? joined_key(key, flaw.key) : key + flaw.key, mistake.problem,
                    mistake.remedy);
    }
    node = std::move(document.root);
    if (!document.complete) {  // told; what is left of it says nothing new
      node = {};
      node.scalar = nlohmann::json(nlohmann::json::value_t::discarded);
    }
  }
  place_all(node, at);
  return node;
}

void overlay(JsonNode& root, std::string_view path, JsonNode value) {
  const auto at = value.at;
  auto* node = &root;
  for (;;) {
    if (node->kind != JsonNode::Kind::object) {
      *node = {};
      node->at = at;
      node->kind = JsonNode::Kind::object;
    }
    const auto dot = path.find('.');
    const std::string key{path.substr(0, dot)};
    auto found = std::find_if(node->members.begin(), node->members.end(),
                              [&](const JsonMember& member) { return member.key == key; });
    if (found == node->members.end()) {
      node->members.push_back({key, at, {}});
      found = std::prev(node->members.end());
    }
    if (dot == std::string_view::npos) {
      found->value = std::move(value);
      found->key_at = at;
      return;
    }
    node = &found->value;
    path.remove_prefix(dot + 1);
  }
}

/// Where a key stands, or the nearest section around it that the text has.
TextPosition place_of(const JsonNode& root, std::string_view key) {
  const auto* node = &root;
  auto at = root.at;
  while (!key.empty()) {
    const auto end = key.find_first_of(".[");
    const auto* next = node->find(key.substr(0, end));
    if (next == nullptr) return at;
    node = next;
    at = node->at;
    if (end == std::string_view::npos) return at;
    key.remove_prefix(end);
    if (key.front() == '[') {
      const auto index = std::stoull(std::string{key.substr(1, key.find(']') - 1)});
      if (index >= node->elements.size()) return at;
      node = &node->elements[index];
      at = node->at;
      key.remove_prefix(key.find(']') + 1);
    }
    if (key.starts_with('.')) key.remove_prefix(1);
  }
  return at;
}

/// Reported already: a contradiction that follows from a wrong value says nothing new.
bool is_reported(const std::vector<ConfigMistake>& mistakes, const std::string& key) {
  return std::any_of(mistakes.begin(), mistakes.end(), [&](const ConfigMistake& mistake) {
    return mistake.key == key || mistake.key.starts_with(key + "[");
  });
}

/// Defaults that follow from the host; the field lists hold those of the first one.
void fill_defaults_of_host(const JsonNode& root, RunConfig& config) {
  const auto given = [&](const char* section, const char* key) {
    const auto* node = root.find(section);
    return node != nullptr && node->find(key) != nullptr;
  };
  const auto sizes = host_sizes(config.model.host);
  if (sizes.empty()) return;  // told elsewhere: there is no such host
  if (!given("model", "size")) config.model.size = sizes.front();
  if (!given("data", "path")) config.data.path = default_data_path(config.model.host);
}

void check_whole(const JsonNode& root, const RunConfig& config, ConfigReader& reader) {
  const auto before = reader.mistakes();
  const auto add = [&](const std::vector<ConfigContradiction>& found) {
    for (const auto& contradiction : found)
      if (!is_reported(before, contradiction.key))
        reader.report(place_of(root, contradiction.key), contradiction.key, contradiction.problem,
                      contradiction.remedy);
  };
  add(contradictions(config));
  add(cluster_contradictions(config));
  add(unknown_names(config));
  add(missing_data(config));
}

}  // namespace

std::string nearest_key(std::string_view section, std::string_view unknown) {
  return nearest_key_of<RunConfig>(section, unknown);
}

ParsedConfig parse_config(std::string_view text, const std::string& file,
                          const std::vector<std::string>& overrides) {
  ParsedConfig parsed;
  auto document = parse_positioned(std::string{text});
  for (const auto& flaw : document.flaws) parsed.mistakes.push_back(mistake_of(flaw, file));
  ConfigReader reader{file, overrides, document.complete, {rule_of, nearest_key}};
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    const auto& change = overrides[i];
    const TextPosition at{0, i + 1};
    const auto equals = change.find('=');
    if (equals == std::string::npos || equals == 0)
      reader.report(at, "", "sets no key", "write --set KEY=VALUE");
    else if (document.root.kind == JsonNode::Kind::object)  // else the file itself is told wrong
      overlay(document.root, std::string_view{change}.substr(0, equals),
              override_value(change.substr(0, equals), change.substr(equals + 1), at, reader));
  }
  const bool readable = document.complete || document.root.kind == JsonNode::Kind::object;
  if (readable) reader.read(document.root, "", parsed.config);
  if (readable) fill_defaults_of_host(document.root, parsed.config);
  if (document.complete && document.root.kind == JsonNode::Kind::object)
    check_whole(document.root, parsed.config, reader);
  parsed.mistakes.insert(parsed.mistakes.end(), reader.mistakes().begin(), reader.mistakes().end());
  std::stable_sort(parsed.mistakes.begin(), parsed.mistakes.end(),
                   [](const ConfigMistake& a, const ConfigMistake& b) {
                     return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                   });
  return parsed;
}

ParsedConfig load_config(const std::filesystem::path& file,
                         const std::vector<std::string>& overrides) {
  const auto text = read_file(file);
  if (!text) return {{}, {{file.string(), 0, 0, "", "can't be read", "", "name a config file"}}};
  return parse_config(*text, file.string(), overrides);
}

/// Line ends and other control characters as spaces: a mistake is one line.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return text;
}

std::string sentence_of(const ConfigMistake& mistake) {
  auto text = mistake.file;
  if (mistake.line != 0)
    text += ':' + std::to_string(mistake.line) + ':' + std::to_string(mistake.column);
  if (!mistake.key.empty()) text += ": " + mistake.key;
  text += ": " + mistake.problem;
  if (!mistake.nearest.empty()) text += "; did you mean " + mistake.nearest + "?";
  return one_line(text + " (" + mistake.remedy + ")");
}

std::string effective_config(const RunConfig& config) {
  return to_json(config, Floats::plain).dump(2) + "\n";
}

}  // namespace esper
