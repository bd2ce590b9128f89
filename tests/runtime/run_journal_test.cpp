// What the journal of a real run holds: every decision with every input it was made from.
#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "messages/json.hpp"
#include "runtime/account.hpp"
#include "runtime/config.hpp"
#include "runtime/digest.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_kinds.hpp"
#include "tests/runtime/built_binary.hpp"
#include "tests/runtime/process.hpp"

namespace esper {
namespace {

using Entries = std::vector<JournalEntry>;

/// The payload read as its kind and written again; "" when the kind isn't known.
std::string written_again(const JournalEntry& entry) {
  std::string text;
  [&]<typename... Kinds>(const std::tuple<Kinds...>*) {
    ((entry.kind == Kinds::schema.name ? void(text = canonical(parsed<Kinds>(entry.payload)))
                                       : void()),
     ...);
  }(static_cast<const JournalKinds*>(nullptr));
  return text;
}

bool has_plain_float(const nlohmann::json& json) {
  if (json.is_structured())
    return std::any_of(json.begin(), json.end(),
                       [](const auto& part) { return has_plain_float(part); });
  return json.is_number_float();
}

void check_payloads(const Entries& entries) {
  for (const auto& entry : entries) {
    INFO(entry.sequence << " " << entry.kind);
    CHECK_FALSE(has_plain_float(nlohmann::json::parse(entry.payload)));
    if (entry.kind != config_kind) CHECK(written_again(entry) == entry.payload);
  }
}

/// The kind that each kind may follow from; "" for none.
const std::map<std::string, std::set<std::string>> causes{
    {"Config", {""}},
    {"HostDescription", {""}},
    {"Catalogue", {""}},
    {"WindowSummary", {""}},
    {"RegionTelemetry", {"WindowSummary"}},
    {"TurnApplied", {"WindowSummary"}},
    {"Outcome", {"AdaptationCommand", "WindowSummary"}},  // a reflex follows from no command
    {"SeedStatus", {"RegionTelemetry"}},
    {"RegionReport", {"RegionTelemetry"}},
    {"GateVerdict", {"RegionReport"}},
    {"Price", {"RegionReport"}},
    {"AdaptationCommand", {"RegionReport"}},
    {"OpportunityProposal", {"RegionReport"}},
    {"Escalation", {"RegionReport"}},
    {"ScaffoldRequest", {"RegionReport"}},
    {"CheckpointReady", {"WindowSummary"}},
    {"SurgeryOutcome", {"WindowSummary"}},
    {"ImportanceReport", {"WindowSummary"}},
    {"PruningPart", {"ImportanceReport", "WindowSummary"}},
    {"StrategyPart", {"RegionTelemetry", "PruningPart"}},
    {"Absence", {"WindowSummary"}},
    {"Restart", {"WindowSummary"}},
    {"BreakerChange", {"WindowSummary"}},
    {"Override", {"WindowSummary"}},
};

void check_causes(const Entries& entries) {
  for (const auto& entry : entries) {
    INFO(entry.sequence << " " << entry.kind << " because of " << entry.cause);
    REQUIRE(entry.cause < entry.sequence);
    const auto kind = entry.cause == 0 ? "" : entries[entry.cause - 1].kind;
    CHECK(causes.at(entry.kind).count(kind) == 1);
    if (kind == "AdaptationCommand")
      CHECK(parsed<AdaptationCommand>(entries[entry.cause - 1].payload).id ==
            parsed<Outcome>(entry.payload).command);
  }
}

/// Each turn holds what it was decided from and what was decided.
void check_turns(const Entries& entries, std::size_t regions, std::size_t windows) {
  std::map<std::uint64_t, std::map<std::string, std::size_t>> counts;
  for (const auto& entry : entries) ++counts[entry.window.value][entry.kind];
  REQUIRE(counts.size() == windows + 1);
  for (std::size_t window = 1; window <= windows; ++window) {
    INFO("window " << window);
    auto& turn = counts[window];
    CHECK(turn["WindowSummary"] == 1);
    CHECK(turn["RegionTelemetry"] == regions);
    CHECK(turn["RegionReport"] == regions);
    CHECK(turn["StrategyPart"] == 1);
    CHECK(turn["TurnApplied"] == (window > 1 ? 1 : 0));
  }
}

}  // namespace

SCENARIO("the journal of a run holds every decision and every input of one",
         "[journal][audit][training]") {
  if (!can_run(true)) return;
  const ScratchFolder folder;
  Process process{binary,
                  {"run", small, "--out", "run", "--set", "training.steps_max=120", "-o", "json"},
                  folder};
  REQUIRE(process.wait() == 0);
  const auto report = nlohmann::json::parse(process.out());
  CHECK(report == nlohmann::json::parse(file_text(folder / "run/report.json")));

  // Data on standard output; on standard error plain lines, since it is no terminal here.
  CHECK(process.err().find("\ngrown  step 120/120  loss ") != std::string::npos);
  CHECK(process.err().find_first_of("\r\x1b") == std::string::npos);

  const auto file = folder / "run/journal.db";
  auto journal = Journal::open(file);
  REQUIRE(journal.has_value());
  const auto entries = journal.value()->read_all();

  // The opening: the config's logical part, the host, the catalogue with a sheet per slot.
  REQUIRE(entries.size() > 3);
  CHECK(entries[0].kind == config_kind);
  CHECK(entries[0].payload == logical_config(load_config(folder / "run/config.json").config));
  const auto host = parsed<HostDescription>(entries[1].payload);
  const auto catalogue = parsed<Catalogue>(entries[2].payload);
  CHECK(catalogue.sheets.size() == catalogue.blueprints.size() * host.slots.size());

  check_payloads(entries);
  check_causes(entries);
  check_turns(entries, host.regions.size(), 12);
  std::set<std::string> kinds;
  bool gate_measured = false;
  for (const auto& entry : entries) {
    kinds.insert(entry.kind);
    if (entry.kind == "RegionTelemetry")
      for (const auto& seed : parsed<RegionTelemetry>(entry.payload).seeds)
        gate_measured |= seed.gate.measured;
  }
  for (const auto* kind :
       {"Outcome", "GateVerdict", "Price", "AdaptationCommand", "OpportunityProposal"})
    CHECK(kinds.count(kind) == 1);
  CHECK(gate_measured);

  // AUDIT-1: chain, head, decisions and seal are the report's.
  const auto check = Journal::verify(file);
  CHECK(check.ends_at(report.at("seal").at("head_hash").get<std::string>()));
  CHECK(check.entries == report.at("seal").at("entries"));
  CHECK(check.decision_hash == report.at("journal_hash"));
  CHECK(sha256_of_file(file) == report.at("seal").at("file_sha256"));
  const auto account = account_of(entries, 4);
  CHECK(to_json(account.energy, Floats::plain) == report.at("energy"));

  // Registry: one line at the end holds every series, under the prefix, with bounded labels.
  std::istringstream lines{file_text(folder / "run/metrics.jsonl")};
  std::string line;
  std::string last;
  while (std::getline(lines, line)) last = line;
  const auto metrics = nlohmann::json::parse(last).at("metrics");
  const auto documented = file_text(source_directory() / "docs/operations.md");
  for (const auto& [name, value] : metrics.items()) {
    INFO(name);
    CHECK(name.starts_with("esper_"));
    CHECK(documented.find('`' + name.substr(0, name.find('{')) + '`') != std::string::npos);
  }
  for (const auto* name :
       {"esper_turns_committed_total{role=\"journal\"}",
        "esper_journal_entries_total{role=\"journal\"}",
        "esper_lane_waiting_messages{role=\"tamiyo\"}", "esper_step{role=\"tolaria\"}"})
    CHECK(metrics.contains(name));
  CHECK(metrics.at("esper_journal_append_seconds{role=\"journal\"}").at("count") == 13);
  CHECK(metrics.size() < 100);
}

}  // namespace esper
