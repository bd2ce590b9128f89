#include "runtime/scorecard.hpp"

#include <algorithm>

namespace esper {
namespace {

std::optional<double> quotient(double part, double whole) {
  return whole != 0 ? std::optional<double>(part / whole) : std::nullopt;
}

void add_crises(Scorecard& card, const RunAccount& account) {
  card.windows = account.window_list.size();
  for (const WindowAccount& window : account.window_list)
    card.windows_in_crisis += static_cast<std::uint64_t>(
        std::count(window.crisis.begin(), window.crisis.end(), card.region));
  for (const TroubleAccount& trouble : account.troubles) {
    if (trouble.region != card.region) continue;
    ++card.crises_begun;
    card.crises_ended += trouble.recovered.value > 0 ? 1 : 0;
  }
  card.stability_restored =
      quotient(static_cast<double>(card.crises_ended), static_cast<double>(card.crises_begun));
}

void add_growth(Scorecard& card, const RunAccount& account) {
  for (const LifeAccount& life : account.lives)
    card.seeds_stood += life.region == card.region && !life.scaffold ? 1 : 0;
  for (const SeedAccount& seed : account.seeds) {
    if (seed.region != card.region || seed.fate != "fossilised") continue;
    ++card.seeds_fossilised;
    card.gain += seed.realised_gain.value_or(0);
    card.parameters += seed.parameters;
  }
  constexpr double thousand = 1'000;
  card.gain_per_thousand_parameters =
      quotient(thousand * card.gain, static_cast<double>(card.parameters));
}

void add_energy(Scorecard& card, const RunAccount& account) {
  for (const CycleAccount& cycle : account.cycles)
    for (const RegionCycle& region : cycle.regions) {
      if (region.region != card.region) continue;
      card.refused += region.refused;
      card.granted += region.granted;
      card.reserved += region.reserved;
      card.spent += region.spent;
    }
  card.asked = card.refused + card.reserved;
  for (const ScaffoldAccount& scaffold : account.scaffolds) {
    if (scaffold.region != card.region) continue;
    card.emergency_asked += scaffold.ask;
    if (scaffold.answer == name_of(ScaffoldAnswer::granted)) card.emergency_granted += scaffold.ask;
  }
}

void add_predictions(Scorecard& card, const RunAccount& account) {
  for (const ProposalAccount& proposal : account.proposals) {
    if (proposal.region != card.region || !proposal.realised_gain) continue;
    ++card.predictions;
    card.predicted_gain += proposal.predicted_gain;
    card.realised_gain += *proposal.realised_gain;
  }
  card.calibration = quotient(card.realised_gain, card.predicted_gain);
}

}  // namespace

std::vector<Scorecard> scorecards_of(const RunAccount& account) {
  std::vector<Scorecard> cards;
  for (const RegionAccount& region : account.map.regions) {
    Scorecard card;
    card.region = region.region;
    add_crises(card, account);
    add_growth(card, account);
    add_energy(card, account);
    add_predictions(card, account);
    cards.push_back(std::move(card));
  }
  return cards;
}

}  // namespace esper
