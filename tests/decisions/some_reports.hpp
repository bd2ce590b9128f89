#pragma once
// What Tamiyo's tests have their regions say.
#include <cstdint>
#include <vector>

#include "actors/decisions/strategy.hpp"

namespace esper {

constexpr Epoch first_epoch{1};

inline StrategySettings strategy_settings(std::int64_t mint_per_region = 100,
                                          std::uint32_t regions = 3) {
  StrategySettings settings;
  settings.regions = regions;
  settings.budget.mint_per_region = mint_per_region;
  settings.allocation.policy = AllocationPolicy::uniform;
  return settings;
}

/// Calm regions that each ask for a seed of 40; the loss falls by 2 % a window.
inline std::vector<RegionReport> calm_reports(Window window, std::uint32_t regions = 3) {
  std::vector<RegionReport> reports(regions);
  for (std::uint32_t region = 0; region < regions; ++region) {
    reports[region].region = {region};
    reports[region].window = window;
    reports[region].learning_rate_ratio = 1;
    reports[region].asked = {40};
    reports[region].confidence = 1;
    reports[region].expected_gain = 0.05;
    reports[region].loss_mean = 1;
    for (std::uint64_t i = 0; i < window.value; ++i) reports[region].loss_mean *= 0.98;
  }
  return reports;
}

inline OpportunityProposal some_proposal(std::uint32_t region, std::uint64_t id, std::int64_t ask) {
  OpportunityProposal proposal;
  proposal.id = id;
  proposal.region = {region};
  proposal.ask = {ask};
  proposal.predicted_gain = 0.1;
  proposal.predicted_gain_sd = 0.01;
  proposal.valid_until = {1'000};
  return proposal;
}

}  // namespace esper
