// G2: an isolated seed on trial. On held-back data, at its target alpha, it must lower the loss.
#include "actors/decisions/number.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>

namespace esper::tactics {
namespace {

bool another_ramps(const Tactics& tactics, const SeedPlan& plan) {
  return std::any_of(tactics.plans.begin(), tactics.plans.end(), [&](const SeedPlan& other) {
    if (other.scaffold) return true;  // what the region then does is the scaffold's doing
    const bool about_to = other.under_way && other.under_way->kind == CommandKind::graft;
    return other.seed != plan.seed && (other.stage == Stage::grafting || about_to);
  });
}

/// The price with the measured norm and today's volatility. A fall is voided when the parts are
/// settled; a rise is reserved from the lease, else asked of the safety reserve. True: all that is
/// due is set aside.
bool settle_price(Decision& decision, SeedPlan& plan, double relative_norm) {
  auto& tactics = decision.tactics;
  if (plan.candidate >= tactics.candidates.size()) return false;
  const Price price = price_now(tactics, tactics.candidates[plan.candidate], relative_norm);
  decision.part.prices.push_back(price);
  const PriceShares due = shares_of(price.energy, tactics.settings.budget);
  const Energy rise = due.graft + due.stabilise - tactics.book.open(plan.seed);
  const Reservation* graft = tactics.book.find(plan.seed, ReservationPart::graft);
  const Reservation* stabilise = tactics.book.find(plan.seed, ReservationPart::stabilise);
  if (graft == nullptr || stabilise == nullptr) return false;
  if (rise <= Energy{}) {
    // What stabilise's part cannot hold of its rise is charged with the graft.
    const Reservation* risen = tactics.book.find(plan.seed, ReservationPart::rise);
    plan.stabilise_due = std::min(due.stabilise, stabilise->energy);
    plan.graft_due = due.graft + due.stabilise - plan.stabilise_due;
    if (risen != nullptr) plan.graft_due = std::max(Energy{}, plan.graft_due - risen->energy);
    plan.graft_due = std::min(plan.graft_due, graft->energy);
    return true;
  }
  plan.graft_due = graft->energy;
  plan.stabilise_due = stabilise->energy;
  if (tactics.book.reserve_rise(plan.seed, rise, next_command(tactics))) return true;
  const Window now = decision.turn.window;
  // An answer takes one turn; one that never came is asked for again.
  const bool awaited = plan.top_up_asked.value != 0 && now.value <= plan.top_up_asked.value + 2;
  if (!awaited && tactics.book.ask_top_up(plan.seed, rise, next_command(tactics)))
    plan.top_up_asked = now;
  return false;
}

/// Counts this window's pass; false: the seed was condemned.
bool measure(Decision& decision, SeedPlan& plan, const SeedTelemetry& seen) {
  const GateConfig& gates = decision.tactics.settings.gates;
  if (!finite_passes(seen)) {
    condemn(decision, plan, "G2", static_cast<double>(seen.non_finite), 0,
            "its own passes are not finite");
    return false;
  }
  const GateMeasurement& gate = seen.gate;
  if (!gate.measured || gate.samples == 0 || seen.updates < gates.updates_min) {
    plan.passes = 0;
    return true;
  }
  const double gain = gate.loss_without - gate.loss_with;
  const double joint = gate.loss_without - gate.loss_joint;
  if (!gate.finite || !finite(gain) || !finite(joint)) {
    condemn(decision, plan, "G2", gain, gates.shadow_gain_min,
            "its loss or gradient is not finite");
    return false;
  }
  plan.gain = gain;
  if (gain < -gates.shadow_loss_cull) {
    condemn(decision, plan, "G2", gain, -gates.shadow_loss_cull, "it harms held-back data");
    return false;
  }
  const bool passes = gain > gates.shadow_gain_min && joint > gates.shadow_gain_min &&
                      seen.relative_norm <= gates.relative_norm_max && seen.gradient_norm > 0;
  plan.passes = passes ? plan.passes + 1 : 0;
  return true;
}

}  // namespace

void judge_trial(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen) {
  auto& tactics = decision.tactics;
  const GateConfig& gates = tactics.settings.gates;
  if (seen == nullptr)
    plan.passes = 0;
  else if (!measure(decision, plan, *seen))
    return;
  const bool proven =
      seen != nullptr && plan.passes > 0 && plan.passes >= gates.shadow_passes_needed;
  const bool crowded = another_ramps(tactics, plan);
  if (proven && !crowded && may_go_forward(tactics) &&
      settle_price(decision, plan, seen->relative_norm)) {
    if (AdaptationCommand* given =
            command(decision, plan, CommandKind::graft, ReservationPart::graft)) {
      given->mitigations = plan.mitigations;
      given->price = plan.graft_due;
      if (const auto* rise = tactics.book.find(plan.seed, ReservationPart::rise))
        given->price += rise->energy;
      say(decision, plan, "G2", true, plan.gain, gates.shadow_gain_min, "it helps held-back data");
    }
    return;
  }
  if (age(plan, decision.turn.window) >= gates.trial_windows_max && !(proven && crowded))
    condemn(decision, plan, "G2", plan.gain, gates.shadow_gain_min,
            proven ? "proven, but its trial ended before it was paid for or the region was calm"
                   : "no verdict within its trial");
}

}  // namespace esper::tactics
