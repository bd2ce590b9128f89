#pragma once
// Turns of a whole economy, for tests: scaffolds, zones, checkpoints and plans over a real host.
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "actors/decisions/host_catalogue.hpp"
#include "tests/decisions/some_reports.hpp"
#include "tests/decisions/turn_reports.hpp"

namespace esper {

/// Three regions in a row (early, middle, late) that four groups of channels reach into; a
/// checkpoint every fourth window, so that plans are judged in turns 7, 11, 15, …
inline StrategySettings economy_settings() {
  StrategySettings settings = strategy_settings(1'000);
  settings.time.cycle_windows = 2;
  settings.time.checkpoint_cycles = 2;
  settings.host = describe_host("fashion_cnn", "base").value();
  return settings;
}

/// A turn of calm reports, with the checkpoint's announcement where it ends one.
inline TurnReports economy_turn(const StrategySettings& settings, Window window,
                                std::uint64_t structure_version = 0) {
  TurnReports turn = turn_reports(window, calm_reports(window, settings.regions));
  const std::uint64_t checkpoint =
      checkpoint_at(window, settings.time.cycle_windows, settings.time.checkpoint_cycles);
  if (checkpoint > 0) {
    turn.checkpoint.emplace();
    turn.checkpoint->checkpoint = checkpoint;
    turn.checkpoint->window = window;
    turn.checkpoint->structure_version = structure_version;
  }
  return turn;
}

/// The first `kept` channels of a group stay.
inline GroupCut cut_to(const std::string& group, std::uint32_t kept) {
  GroupCut cut{group, std::vector<std::uint32_t>(kept)};
  std::iota(cut.kept.begin(), cut.kept.end(), 0U);
  return cut;
}

inline PruningPlan plan_to_cut(std::uint64_t checkpoint, std::vector<GroupCut> cuts) {
  PruningPlan plan;
  plan.id = checkpoint;
  plan.cuts = std::move(cuts);
  plan.price.energy = {30};
  return plan;
}

inline ScaffoldRequest some_request(std::uint32_t region, std::int64_t ask) {
  ScaffoldRequest request;
  request.region = {region};
  request.blueprint = "batch_norm_skip";
  request.ask = {ask};
  return request;
}

}  // namespace esper
