#include "sim/rehearsal.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "messages/json.hpp"
#include "runtime/config_keys.hpp"
#include "runtime/json_positions.hpp"

namespace esper::sim {

namespace {

struct Range {
  std::string_view key;
  std::uint64_t least, most;
};
constexpr std::uint64_t day_ms = 86'400'000;
constexpr Range ranges[]{{"version", 1, 1},         {"seed", 0, 9'007'199'254'740'992},
                         {"regions", 3, 64},        {"windows", 30, 100'000},
                         {"at_ms", 0, day_ms},      {"after_events", 0, 1'000'000},
                         {"duration_ms", 0, day_ms}};
constexpr std::string_view needed[]{"version", "name", "faults", "kind", "at_ms"};

bool among(std::string_view name, const auto& names) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  template <typename T>
  void read(const JsonNode& node, const std::string& key, std::string_view name, T& value) {
    if (node.scalar.is_discarded()) return;  // told as a flaw of the text
    if constexpr (Described<T>)
      read_object(node, key, value);
    else if constexpr (IsVector<T>::value)
      read_list(node, key, name, value);
    else if (node.kind != JsonNode::Kind::scalar || !read_scalar(node, key, name, value))
      report(node.at, key, "it is not " + expected_type<T>(), "write " + expected_type<T>());
  }

  void report(const TextPosition& at, std::string key, std::string problem, std::string remedy) {
    mistakes.push_back(
        {file_, at.line, at.column, std::move(key), std::move(problem), "", std::move(remedy)});
  }

  std::vector<ConfigMistake> mistakes;

 private:
  template <typename T>
  void read_object(const JsonNode& node, const std::string& key, T& value) {
    if (node.kind != JsonNode::Kind::object)
      return report(node.at, key, "it is not an object", "write {…}");
    std::vector<std::string> names;
    for_each_field(value, [&](std::string_view name, auto& member) {
      names.emplace_back(name);
      const auto path = joined_key(key, name);
      if (const auto* found = node.find(name))
        read(*found, path, name, member);
      else if (among(name, needed))
        report(node.at, path, "missing", "add \"" + std::string{name} + "\"");
    });
    for (const auto& member : node.members)
      if (!among(member.key, names)) {
        std::string known;
        for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
        report(member.key_at, joined_key(key, member.key), "unknown key",
               "remove it, or write one of " + known);
      }
  }

  template <typename T>
  void read_list(const JsonNode& node, const std::string& key, std::string_view name,
                 std::vector<T>& values) {
    if (node.kind != JsonNode::Kind::array)
      return report(node.at, key, "it is not a list", "write […]");
    values.clear();
    for (const auto& element : node.elements) {
      T value{};
      read(element, key + "[" + std::to_string(values.size()) + "]", name, value);
      values.push_back(std::move(value));
    }
  }

  template <typename T>
  bool read_scalar(const JsonNode& node, const std::string& key, std::string_view name, T& value) {
    const auto& json = node.scalar;
    if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) return false;
      value = json.get<std::string>();
    } else if constexpr (NamedEnum<T>) {
      const auto found =
          json.is_string() ? enum_from<T>(json.get_ref<const std::string&>()) : std::optional<T>{};
      if (!found) return false;
      value = *found;
    } else {
      if (!json.is_number_integer()) return false;
      for (const auto& range : ranges)
        if (range.key == name && (json < range.least || json > range.most)) {
          report(node.at, key, json.dump() + " is out of range",
                 "give at least " + std::to_string(range.least) + " and at most " +
                     std::to_string(range.most));
          return true;
        }
      value = json.get<T>();
    }
    return true;
  }

  std::string file_;
};

/// What a fault of that kind may aim at, for people; "" when its target is right.
std::string wrong_target(const Fault& fault, std::uint32_t regions) {
  const auto number = [&](std::string_view prefix) {
    for (std::uint32_t region = 0; region < regions; ++region)
      if (fault.target == std::string{prefix} + std::to_string(region)) return true;
    return false;
  };
  const auto last = std::to_string(regions - 1);
  if (aims_at_role(fault.kind))
    return among(fault.target, role_names(regions))
               ? ""
               : "name a role: journal, oona, kasmina, urza, tamiyo, elesh, emrakul, tolaria, or "
                 "narset.0 to narset." +
                     last;
  if (aims_at_region(fault.kind))
    return number("region.") ? "" : "name a region: region.0 to region." + last;
  if (aims_at_node(fault.kind))
    return fault.target == "node.b" || fault.target == "node.c" ? ""
                                                                : "name a node: node.b, node.c";
  return fault.target.empty() ? "" : "leave it out: this kind aims at nothing";
}

void check(const JsonNode& root, const Rehearsal& rehearsal, Reader& reader) {
  const JsonNode* faults = root.find("faults");
  const JsonNode* expected = root.find("expect");
  const std::uint64_t end_ms = rehearsal.windows * 1'000 * 2 / 3;
  for (std::size_t i = 0; i < rehearsal.faults.size(); ++i) {
    const auto& fault = rehearsal.faults[i];
    const auto& at = faults->elements[i].at;
    const auto key = "faults[" + std::to_string(i) + "]";
    if (const auto remedy = wrong_target(fault, rehearsal.regions); !remedy.empty())
      reader.report(at, key + ".target",
                    "\"" + fault.target + "\" is no target of " + std::string{name_of(fault.kind)},
                    remedy);
    if (has_duration(fault.kind) != (fault.duration_ms > 0))
      reader.report(at, key + ".duration_ms",
                    std::string{name_of(fault.kind)} +
                        (has_duration(fault.kind) ? " lasts for a while" : " has no duration"),
                    has_duration(fault.kind) ? "give at least 1" : "leave it out");
    if (fault.at_ms >= end_ms)
      reader.report(at, key + ".at_ms",
                    "all faults heal at " + std::to_string(end_ms) + " ms, two thirds of the run",
                    "give an earlier instant or more windows");
  }
  const Coverage rows;
  for (std::size_t i = 0; i < rehearsal.expect.size(); ++i)
    if (!rows.rows().contains(rehearsal.expect[i]))
      reader.report(expected->elements[i].at, "expect[" + std::to_string(i) + "]",
                    "there is no row \"" + rehearsal.expect[i] + "\" in the coverage",
                    "see the table that `esper sim --seeds` prints");
}

}  // namespace

ParsedRehearsal parse_rehearsal(std::string_view text, const std::string& file) {
  ParsedRehearsal parsed_text;
  Reader reader{file};
  const auto document = parse_positioned(std::string{text});
  for (const auto& flaw : document.flaws)
    reader.report(flaw.at, flaw.key, flaw.text, "correct the text here");
  if (document.complete) {
    reader.read(document.root, "", "", parsed_text.rehearsal);
    if (reader.mistakes.empty()) check(document.root, parsed_text.rehearsal, reader);
  }
  parsed_text.mistakes = std::move(reader.mistakes);
  std::stable_sort(parsed_text.mistakes.begin(), parsed_text.mistakes.end(),
                   [](const ConfigMistake& a, const ConfigMistake& b) {
                     return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                   });
  return parsed_text;
}

ParsedRehearsal load_rehearsal(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream input{file};
  if (!input || std::filesystem::is_directory(file, ignored))
    return {{}, {{file.string(), 0, 0, "", "can't be read", "", "name a rehearsal's file"}}};
  std::ostringstream text;
  text << input.rdbuf();
  return parse_rehearsal(text.str(), file.string());
}

std::string rehearsal_text(const Rehearsal& rehearsal) {
  auto json = to_json(rehearsal, Floats::plain);
  for (auto& fault : json.at("faults")) {
    if (fault.at("target") == "") fault.erase("target");
    if (fault.at("duration_ms") == 0) fault.erase("duration_ms");
  }
  return json.dump(2) + "\n";
}

SimulationResult rehearse(const Rehearsal& rehearsal, bool events_kept) {
  SimulationOptions options;
  options.seed = rehearsal.seed;
  options.regions = rehearsal.regions;
  options.windows = rehearsal.windows;
  options.faults = rehearsal.faults;
  options.must_happen = false;
  options.events_kept = events_kept;
  auto result = simulate(options);
  for (const auto place : result.unfired)
    result.violations.push_back(
        {"REHEARSAL", result.faults[place].at_ms, "it never fired: " + told(result.faults[place])});
  for (const auto& row : rehearsal.expect)
    if (result.coverage.rows().at(row) == 0)
      result.violations.push_back({"REHEARSAL", result.virtual_ms, "\"" + row + "\" was not seen"});
  return result;
}

}  // namespace esper::sim
