// G5: a seed at full alpha earns its place: calm windows, and a gain that pays its parameters'
// rent.
#include "actors/decisions/number.hpp"
#include "actors/decisions/tactics_parts.hpp"

#include <algorithm>

namespace esper::tactics {

void judge_stability(Decision& decision, SeedPlan& plan, const SeedTelemetry* seen) {
  auto& tactics = decision.tactics;
  const GateConfig& gates = tactics.settings.gates;
  const std::uint64_t windows = age(plan, decision.turn.window);
  const double rent =
      gates.rent_per_thousand_parameters * static_cast<double>(plan.parameters) / 1000;
  if (seen != nullptr && windows > 0) {
    if (!finite_passes(*seen))
      return condemn(decision, plan, "G5", static_cast<double>(seen->non_finite), 0,
                     "its own passes are not finite");
    const GateMeasurement& gate = seen->gate;
    if (gate.measured && gate.samples > 0) {
      const double gain = gate.loss_without - gate.loss_with;
      if (!gate.finite || !finite(gain))
        return condemn(decision, plan, "G5", gain, rent, "its loss is not finite");
      plan.gain = gain;
      if (gain < -gates.stage_loss_max)
        return condemn(decision, plan, "G5", gain, -gates.stage_loss_max,
                       "the model is better without it");
      const std::uint64_t calm = std::min<std::uint64_t>(tactics.health.stable_windows, windows);
      // Alpha 0 means that an escape was not yet told: nothing was measured then.
      if (calm >= gates.stable_windows && gain >= rent && seen->alpha > 0 &&
          may_go_forward(tactics)) {
        if (AdaptationCommand* given =
                command(decision, plan, CommandKind::fossilise, ReservationPart::stabilise)) {
          given->price = plan.stabilise_due;
          say(decision, plan, "G5", true, gain, rent, "it pays its rent");
        }
        return;
      }
    }
  }
  if (windows >= gates.verdict_windows_max)
    condemn(
        decision, plan, "G5", plan.gain, rent,
        plan.gain >= rent ? "the region was not calm for long enough" : "it does not pay its rent");
}

}  // namespace esper::tactics
