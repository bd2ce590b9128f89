#include "actors/decisions/allocation.hpp"

#include <algorithm>
#include <optional>
#include <queue>

namespace esper {
namespace {

double or_zero(double value) { return finite(value) ? value : 0; }

bool asks(const RegionState& state) { return state.asked.thousandths > 0; }

/// Where no region is worth anything, the least bad gets one seed and nobody else any: a policy
/// that funds nothing learns nothing, and would never fund again.
void allow_probe(const std::vector<RegionState>& regions, Energy& capacity,
                 std::vector<double>& worth) {
  std::optional<std::size_t> best;
  for (std::size_t place = 0; place < regions.size(); ++place) {
    if (!asks(regions[place]) || regions[place].asked > capacity) continue;
    if (worth[place] > 0) return;
    if (!best || worth[place] > worth[*best]) best = place;
  }
  if (!best) return;
  worth[*best] = 1;
  capacity = regions[*best].asked;
}

}  // namespace

std::vector<Energy> UniformAllocator::deal(const std::vector<RegionState>& regions, Energy capacity,
                                           const AllocationConstraint& constraint) {
  std::vector<Energy> grants(regions.size());
  if (regions.empty()) return grants;
  const std::size_t first = constraint.cycle.value % regions.size();
  for (std::uint32_t round = 0; round < seeds_per_cycle_max; ++round) {
    for (std::size_t turn = 0; turn < regions.size(); ++turn) {
      const std::size_t place = (first + turn) % regions.size();
      const Energy price = regions[place].asked;
      if (!asks(regions[place]) || price > capacity) continue;
      grants[place] += price;
      capacity -= price;
    }
  }
  return grants;
}

// Before anything is known a seed's gain is its region's win share (a half at first), and it
// regresses once in ten, more often where the loss shakes. Held firmly enough that one unlucky seed
// does not silence a region.
constexpr double prior_strength = 8;

BanditAllocator::BanditAllocator(const AllocationConfig& config, std::uint32_t regions)
    : config_(config),
      gain_({0, 0, 1, 0, 0, 0}, prior_strength),
      regression_({0.1, 0.2, 0, 0, 0, 0}, prior_strength),
      arms_(regions) {}

BanditAllocator::Model::Vector BanditAllocator::context_of(const RegionState& state) const {
  constexpr double gain_scale = 0.05;  // nats; a typical seed's, where the feature is a half
  const Arm& arm = arms_[state.region.value];
  const double gain = or_zero(state.expected_gain);
  const double size = gain < 0 ? -gain : gain;
  const auto asked = static_cast<double>(std::max(state.asked, Energy{0}).thousandths);
  const auto refused = static_cast<double>(std::max(state.refused, Energy{0}).thousandths);
  const double all = asked + refused;
  return {1,
          clip(or_zero(state.volatility), 0, 1),
          arm.wins / arm.resolved,
          clip(or_zero(state.confidence), 0, 1),
          all > 0 ? refused / all : 0,
          gain / (size + gain_scale)};
}

std::vector<Energy> BanditAllocator::deal(const std::vector<RegionState>& regions, Energy capacity,
                                          const AllocationConstraint& constraint) {
  std::vector<Energy> grants(regions.size());
  std::vector<double> worth(regions.size());
  std::vector<std::uint32_t> seeds(regions.size());
  for (std::size_t place = 0; place < regions.size(); ++place) {
    const RegionState& state = regions[place];
    if (!asks(state) || state.region.value >= arms_.size()) continue;
    const Model::Vector context = context_of(state);
    const double bonus =
        constraint.posture == Posture::explore ? config_.exploration * gain_.width(context) : 0;
    const double regression = clip(regression_.mean(context), 0, 1);
    worth[place] = gain_.mean(context) + bonus - (1 + risk_price_) * regression;
    arms_[state.region.value].context = context;
    arms_[state.region.value].dealt = true;
  }
  if (constraint.posture != Posture::crisis) allow_probe(regions, capacity, worth);
  // The best rate first, of equals the first region. What is too dear once stays so.
  const auto rate = [&](std::size_t place) {
    return worth[place] /
           (static_cast<double>(regions[place].asked.thousandths) * (1 + seeds[place]));
  };
  using Offer = std::pair<double, std::size_t>;
  const auto behind = [](const Offer& one, const Offer& other) {
    return one.first != other.first ? one.first < other.first : one.second > other.second;
  };
  std::priority_queue<Offer, std::vector<Offer>, decltype(behind)> offers(behind);
  for (std::size_t place = 0; place < regions.size(); ++place)
    if (worth[place] > 0) offers.emplace(rate(place), place);
  while (!offers.empty()) {
    const std::size_t place = offers.top().second;
    offers.pop();
    if (regions[place].asked > capacity) continue;
    grants[place] += regions[place].asked;
    capacity -= regions[place].asked;
    if (++seeds[place] < seeds_per_cycle_max) offers.emplace(rate(place), place);
  }
  return grants;
}

void BanditAllocator::learn(const std::vector<RegionResults>& results) {
  double resolved_all = 0, regressions_all = 0;
  for (const RegionResults& result : results) {
    if (result.region.value >= arms_.size()) continue;
    Arm& arm = arms_[result.region.value];
    const double wins = result.wins;
    const double resolved = wins + result.losses;
    const double regressions = std::min<double>(result.regressions, result.losses);
    resolved_all += resolved;
    regressions_all += regressions;
    if (!(resolved > 0)) continue;
    if (arm.dealt) {
      gain_.learn(arm.context, wins / resolved * clip(or_zero(result.calibration), 0, 2));
      regression_.learn(arm.context, regressions / resolved);
    }
    // A fading count, so that a region may change: a sample weighs half after about seven.
    constexpr double fading = 0.9;
    arm.wins = fading * arm.wins + wins;
    arm.resolved = fading * arm.resolved + resolved;
  }
  // A cycle that resolved nothing counts as one without regressions; else a price so high that
  // nothing is funded could never fall again.
  const double share = resolved_all > 0 ? regressions_all / resolved_all : 0;
  risk_price_ =
      std::max(0.0, risk_price_ + config_.risk_price_rate * (share - config_.regression_target));
}

Allocator make_allocator(const AllocationConfig& config, std::uint32_t regions) {
  if (config.policy == AllocationPolicy::bandit) return BanditAllocator{config, regions};
  return UniformAllocator{};
}

std::vector<Energy> deal(Allocator& allocator, const std::vector<RegionState>& regions,
                         Energy capacity, const AllocationConstraint& constraint) {
  return std::visit([&](auto& policy) { return policy.deal(regions, capacity, constraint); },
                    allocator);
}

void learn(Allocator& allocator, const std::vector<RegionResults>& results) {
  std::visit([&](auto& policy) { policy.learn(results); }, allocator);
}

double risk_price(const Allocator& allocator) {
  return std::visit([](const auto& policy) { return policy.risk_price(); }, allocator);
}

}  // namespace esper
