#pragma once
// The whole tree on a trainer without tensors and a journal in memory.
#include <thread>

#include "actors/control_plane.hpp"
#include "tests/actors/fake_trainer.hpp"
#include "tests/actors/memory_journal.hpp"

namespace esper {

using std::chrono::milliseconds;
inline constexpr milliseconds patience{20'000};

inline RunConfig small_config() {
  RunConfig config;
  config.name = "test";
  config.seed = 7;
  config.control.retry_ms = 200;
  config.control.restarts_max = 1'000;
  config.control.backoff_ms_first = config.control.backoff_ms_max = 1;
  config.time.window_steps = 10;
  config.budget.mint_per_region = 400;
  return config;
}

/// Three regions in a row, some point slots each.
inline HostDescription small_host(char slots_per_region) {
  HostDescription host;
  host.name = "fake";
  host.parameters = 3'000;
  host.operations = 3'000;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto name = std::string{"region"} + std::to_string(i);
    host.regions.push_back({name, {name + "."}, 1'000, 1'000});
    const std::uint64_t downstream = std::uint64_t{1'000} * (3 - i);
    for (char slot = 'a'; slot < 'a' + slots_per_region; ++slot)
      host.slots.push_back(
          {name + "." + slot, {i}, SlotKind::point, "", 8, 7, 7, downstream, name});
  }
  host.edges = {{{0}, {1}, false}, {{1}, {2}, false}};
  return host;
}

/// One cheap blueprint.
inline Catalogue small_catalogue(const HostDescription& host) {
  Catalogue catalogue;
  Blueprint blueprint;
  blueprint.name = "bottleneck";
  blueprint.kind = BlueprintKind::bottleneck;
  catalogue.blueprints = {blueprint};
  for (std::uint32_t slot = 0; slot < host.slots.size(); ++slot) {
    RiskSheet sheet;
    sheet.blueprint = blueprint.name;
    sheet.slot = {slot};
    sheet.gradient_gain = sheet.output_gain = 1.1;
    sheet.relative_norm = 0.3;
    sheet.parameters = 300;
    sheet.operations = 1'000;
    sheet.risk = 0.2;
    sheet.confidence = 1;
    catalogue.sheets.push_back(sheet);
  }
  return catalogue;
}

struct Rig {
  explicit Rig(RunConfig used = small_config(), char slots_per_region = 2)
      : config(std::move(used)), host(small_host(slots_per_region)), trainer(3, config.seed) {
    journal.open_with(small_catalogue(host));
  }
  ControlSeams seams() { return {trainer, journal, metrics, log, filter}; }

  RunConfig config;
  HostDescription host;
  FakeTrainer trainer;
  MemoryJournal journal;
  SilentMetrics metrics;
  SilentLog log;
  TelemetryFilter filter;
};

/// So many windows, and what was decided in them. "": a turn did not come in time.
inline std::string decisions_of(Rig& rig, std::uint64_t windows) {
  ControlPlane plane(rig.config, rig.host, rig.seams());
  for (std::uint64_t i = 0; i < windows; ++i)
    if (!rig.trainer.close_window(patience)) return "";
  if (!plane.finish(Window{windows}, patience)) return "";
  plane.stop();
  return rig.journal.logical_text();
}

/// Looks again and again until it holds; false: not within `patience`.
template <typename Condition>
bool wait_until(Condition holds) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds{1});
  }
  return true;
}

}  // namespace esper
