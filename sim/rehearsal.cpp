#include "sim/rehearsal.hpp"

#include <algorithm>

#include "messages/json.hpp"
#include "runtime/config_reader.hpp"
#include "runtime/nearest_key.hpp"
#include "runtime/read_file.hpp"

namespace esper::sim {

namespace {

constexpr double day_ms = 86'400'000;
constexpr KeyRule rules[]{
    {.key = "version", .description = "1", .minimum = 1, .maximum = 1, .required = true},
    {.key = "name", .description = "for people", .required = true},
    {.key = "seed", .description = "of the simulation", .minimum = 0},
    {.key = "regions", .description = "of the simulation", .minimum = 3, .maximum = 64},
    {.key = "windows", .description = "of the simulation", .minimum = 30, .maximum = 100'000},
    {.key = "faults", .description = "what befalls it", .required = true},
    {.key = "faults[].kind", .description = "what befalls", .required = true},
    {.key = "faults[].at_ms",
     .description = "when, from the beginning",
     .minimum = 0,
     .maximum = day_ms,
     .required = true},
    {.key = "faults[].after_events",
     .description = "messages after that",
     .minimum = 0,
     .maximum = 1'000'000},
    {.key = "faults[].duration_ms",
     .description = "how long it lasts",
     .minimum = 0,
     .maximum = day_ms},
    {.key = "faults[].at_window",
     .description = "not before this window has closed",
     .minimum = 0,
     .maximum = 100'000},
};

const KeyRule* rule_of(std::string_view key) {
  const auto found = std::ranges::find(rules, key, &KeyRule::key);
  return found == std::end(rules) ? nullptr : found;
}

bool among(std::string_view name, const auto& names) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

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

void check(const JsonNode& root, const Rehearsal& rehearsal, ConfigReader& reader) {
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
  const auto document = parse_positioned(std::string{text});
  for (const auto& flaw : document.flaws) parsed_text.mistakes.push_back(mistake_of(flaw, file));
  ConfigReader reader{file, {}, document.complete, {rule_of, nearest_key_of<Rehearsal>}};
  if (document.complete) {
    reader.read(document.root, "", parsed_text.rehearsal);
    if (parsed_text.mistakes.empty() && reader.mistakes().empty())
      check(document.root, parsed_text.rehearsal, reader);
  }
  parsed_text.mistakes.insert(parsed_text.mistakes.end(), reader.mistakes().begin(),
                              reader.mistakes().end());
  std::stable_sort(parsed_text.mistakes.begin(), parsed_text.mistakes.end(),
                   [](const ConfigMistake& a, const ConfigMistake& b) {
                     return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                   });
  return parsed_text;
}

ParsedRehearsal load_rehearsal(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text)
    return {{}, {{file.string(), 0, 0, "", "can't be read", "", "name a rehearsal's file"}}};
  return parse_rehearsal(*text, file.string());
}

std::string rehearsal_text(const Rehearsal& rehearsal) {
  auto json = to_json(rehearsal, Floats::plain);
  for (auto& fault : json.at("faults")) {
    if (fault.at("target") == "") fault.erase("target");
    if (fault.at("duration_ms") == 0) fault.erase("duration_ms");
    if (fault.at("at_window") == 0) fault.erase("at_window");
  }
  return json.dump(2) + "\n";
}

}  // namespace esper::sim
