// G0 and what leads to it: the next wish, its price, and a proposal when the lease is too small.
#include "actors/decisions/number.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>

namespace esper::tactics {
namespace {

/// Two at once: one may ramp while the next is on trial, and blame stays clear.
constexpr std::size_t seeds_at_once = 2;

bool plantable(const Tactics& tactics, const Candidate& candidate, Window now) {
  return !candidate.quarantined && now >= candidate.not_before &&
         free_plot(tactics, candidate.plot);
}

/// Thinks of planting at all: room for a seed, a learning rate that will still teach it, and no
/// scaffold whose work it would disturb.
bool wants_a_seed(const Decision& decision) {
  const Tactics& tactics = decision.tactics;
  return tactics.plans.size() < seeds_at_once && !tactics.health.in_crisis() &&
         !scaffold_stands(tactics) && decision.turn.window >= tactics.trouble.rest_until &&
         decision.turn.telemetry.learning_rate_ratio >=
             tactics.settings.gates.learning_rate_ratio_min;
}

/// Asks the tactic that a user gave.
void choose_by_tactic(Decision& decision) {
  auto& tactics = decision.tactics;
  std::vector<std::size_t> places;
  std::vector<PlantingChoice> choices;
  for (std::size_t index = 0; index < tactics.candidates.size(); ++index) {
    const Candidate& candidate = tactics.candidates[index];
    if (!plantable(tactics, candidate, decision.turn.window)) continue;
    const Price price = price_now(tactics, candidate, candidate.relative_norm);
    decision.part.prices.push_back(price);
    const ExpectedGain gain = expected_gain(tactics, candidate);
    places.push_back(index);
    choices.push_back({candidate.blueprint, tactics.plots[candidate.plot].slot, price.energy,
                       gain.mean, gain.deviation, candidate.risk, candidate.parameters});
  }
  if (choices.empty()) return;
  const auto picked = tactics.settings.planting(decision.turn, choices, tactics.stream);
  if (picked && *picked >= places.size())
    throw InvariantViolation("the planting tactic picked choice " + std::to_string(*picked) +
                             " of " + std::to_string(places.size()));
  if (picked) tactics.wish = places[*picked];
}

/// Best expected gain per energy. A seeded factor in [0.75, 1.25] breaks ties and lets designs
/// that look nearly as good have their turn. The choice stands until it is planted or cannot be.
void choose(Decision& decision) {
  auto& tactics = decision.tactics;
  const Window now = decision.turn.window;
  if (tactics.wish && plantable(tactics, tactics.candidates[*tactics.wish], now)) return;
  tactics.wish.reset();
  if (tactics.settings.planting) return choose_by_tactic(decision);
  double best = 0;
  for (std::size_t index = 0; index < tactics.candidates.size(); ++index) {
    const Candidate& candidate = tactics.candidates[index];
    if (!plantable(tactics, candidate, now)) continue;
    const Price price = price_now(tactics, candidate, candidate.relative_norm);
    decision.part.prices.push_back(price);
    const double gain = expected_gain(tactics, candidate).mean;
    const double exploration = 0.75 + 0.5 * tactics.stream.uniform();
    const double per_energy =
        gain / static_cast<double>(std::max<std::int64_t>(price.energy.thousandths, 1));
    // A loss is not made better by a lower price per energy, only less bad by exploring: skip it.
    if (gain > 0 && per_energy * exploration > best) {
      best = per_energy * exploration;
      tactics.wish = index;
    }
  }
}

/// The approved proposal for a plot that is still free, if any; those that ran out are dropped.
FiledProposal* funded(Tactics& tactics, Window now) {
  std::erase_if(tactics.proposals, [&](const FiledProposal& filed) { return now > filed.until; });
  for (FiledProposal& filed : tactics.proposals)
    if (filed.approved)
      for (const Candidate& candidate : tactics.candidates)
        if (candidate.blueprint == filed.proposal.blueprint &&
            tactics.plots[candidate.plot].slot == filed.proposal.slot &&
            plantable(tactics, candidate, now))
          return &filed;
  return nullptr;
}

/// Gentler than the config's: the first stage is halved, and the clip of the seed's gradient.
Mitigations gentler(const GateConfig& gates) {
  Mitigations mitigations{gates.alpha_stages, 0, gates.clip_norm / 2};
  if (!mitigations.alpha_stages.empty())
    mitigations.alpha_stages.insert(mitigations.alpha_stages.begin(),
                                    mitigations.alpha_stages.front() / 2);
  return mitigations;
}

/// Files the wish as a proposal, once a cycle, when it should pay its rent.
void propose(Decision& decision, const Candidate& candidate, Energy lacking) {
  auto& tactics = decision.tactics;
  const Window now = decision.turn.window;
  const ExpectedGain gain = expected_gain(tactics, candidate);
  const double rent = tactics.settings.gates.rent_per_thousand_parameters *
                      static_cast<double>(candidate.parameters) / 1000;
  if (tactics.proposed_this_cycle || now < tactics.deferred_until || gain.mean <= rent) return;
  tactics.proposed_this_cycle = true;
  OpportunityProposal proposal;
  proposal.id = tactics.next_proposal++;
  proposal.region = tactics.region;
  proposal.cycle = tactics.cycle;
  proposal.hypothesis = candidate.blueprint + " pays more than its rent here";
  proposal.evidence = {{"rent", rent},
                       {"risk", candidate.risk},
                       {"volatility", tactics.health.volatility},
                       {"loss_mean", decision.turn.telemetry.loss_mean}};
  proposal.blueprint = candidate.blueprint;
  proposal.slot = tactics.plots[candidate.plot].slot;
  proposal.ask = lacking;
  proposal.predicted_gain = gain.mean;
  proposal.predicted_gain_sd = gain.deviation;
  proposal.predicted_parameters = candidate.parameters;
  proposal.mitigations = gentler(tactics.settings.gates);
  proposal.valid_until = now + std::max<std::uint32_t>(tactics.settings.time.cycle_windows, 1);
  tactics.proposals.push_back({proposal, false, {}, proposal.valid_until});
  decision.part.proposals.push_back(std::move(proposal));
}

/// An ask that the lease does not cover counts once a cycle, with its verdict.
void count_refusal(Decision& decision, std::size_t index, Energy price) {
  auto& tactics = decision.tactics;
  if (tactics.last_refused == index) return;
  tactics.last_refused = index;
  tactics.refused_this_cycle += price;
  const Candidate& candidate = tactics.candidates[index];
  decision.part.gates.push_back({{},
                                 tactics.plots[candidate.plot].slot,
                                 "G0",
                                 false,
                                 static_cast<double>(tactics.book.free().thousandths),
                                 static_cast<double>(price.thousandths),
                                 "the lease does not cover the price",
                                 candidate.blueprint});
}

/// Reserves the whole price and gives the command; false when the lease does not cover it.
bool plant(Decision& decision, std::size_t index, const Price& price, const FiledProposal* filed) {
  auto& tactics = decision.tactics;
  const Candidate& candidate = tactics.candidates[index];
  if (price.energy > tactics.book.free()) return false;
  const PriceShares shares = shares_of(price.energy, tactics.settings.budget);
  SeedPlan plan;
  plan.seed = seed_of(tactics.region, tactics.next_seed);
  plan.plot = candidate.plot;
  plan.candidate = index;
  plan.blueprint = candidate.blueprint;
  plan.since = decision.turn.window;
  plan.parameters = candidate.parameters;
  plan.graft_due = shares.graft;
  plan.stabilise_due = shares.stabilise;
  plan.predicted_gain = expected_gain(tactics, candidate).mean;
  plan.mitigations = {tactics.settings.gates.alpha_stages, 0, tactics.settings.gates.clip_norm};
  if (filed != nullptr) {
    plan.proposal = filed->proposal.id;
    plan.predicted_gain = filed->proposal.predicted_gain;
    plan.mitigations = filed->conditions;
  }
  const Energy free_before = tactics.book.free();
  AdaptationCommand* given = command(decision, plan, CommandKind::germinate);
  const std::array<CommandId, 3> paid{given->id, next_command(tactics), next_command(tactics)};
  const auto reserved = tactics.book.reserve_seed(plan.seed, shares, paid);
  if (!reserved) throw InvariantViolation("a fresh seed's price was free and yet not reserved");
  ++tactics.next_seed;
  given->blueprint = plan.blueprint;
  given->mitigations = plan.mitigations;
  given->reservation = reserved.value();
  given->price = shares.germinate;
  say(decision, plan, "G0", true, static_cast<double>(free_before.thousandths),
      static_cast<double>(price.energy.thousandths),
      filed != nullptr ? "paid by an approved proposal" : "paid by the lease");
  tactics.plans.push_back(std::move(plan));
  return true;
}

std::size_t index_of(const Tactics& tactics, const FiledProposal& filed) {
  std::size_t index = 0;
  while (tactics.candidates[index].blueprint != filed.proposal.blueprint ||
         tactics.plots[tactics.candidates[index].plot].slot != filed.proposal.slot)
    ++index;
  return index;
}

/// G0's own conditions, beyond a free plot and a sheet.
bool may_plant(const Decision& decision) {
  const Tactics& tactics = decision.tactics;
  const Window now = decision.turn.window;
  return tactics.book.has_authority(now + 1) && now >= tactics.germinate_not_before &&
         may_go_forward(tactics) &&
         tactics.health.stable_windows >= tactics.settings.gates.calm_windows;
}

}  // namespace

Price price_now(const Tactics& tactics, const Candidate& candidate, double relative_norm,
                bool on_graph) {
  return price_of({candidate.risk, tactics.health.volatility, candidate.downstream, relative_norm,
                   candidate.parameters_share, on_graph},
                  tactics.settings.budget);
}

void germinate(Decision& decision) {
  auto& tactics = decision.tactics;
  tactics.book.end_lease(decision.turn.window);
  if (!wants_a_seed(decision)) return;
  const bool may = may_plant(decision);
  if (FiledProposal* filed = funded(tactics, decision.turn.window); filed != nullptr && may) {
    const std::size_t index = index_of(tactics, *filed);
    const Price price =
        price_now(tactics, tactics.candidates[index], tactics.candidates[index].relative_norm);
    decision.part.prices.push_back(price);
    if (plant(decision, index, price, filed)) {
      const std::uint64_t done = filed->proposal.id;
      std::erase_if(tactics.proposals,
                    [&](const FiledProposal& one) { return one.proposal.id == done; });
      if (tactics.plans.size() >= seeds_at_once) return;
    }
  }
  choose(decision);
  if (!tactics.wish) return;
  const std::size_t index = *tactics.wish;
  const Candidate& candidate = tactics.candidates[index];
  const Price price = price_now(tactics, candidate, candidate.relative_norm);
  decision.part.prices.push_back(price);
  if (may && !funded(tactics, decision.turn.window) && plant(decision, index, price, nullptr)) {
    tactics.wish.reset();
    return;
  }
  const ExpectedGain gain = expected_gain(tactics, candidate);
  decision.part.report.asked = price.energy;
  decision.part.report.confidence = candidate.confidence;
  decision.part.report.expected_gain = gain.mean;
  decision.part.report.expected_gain_sd = gain.deviation;
  const Energy held = tactics.book.free();
  if (price.energy > held && may) {
    count_refusal(decision, index, price.energy);
    propose(decision, candidate, price.energy - held);
  }
}

}  // namespace esper::tactics
