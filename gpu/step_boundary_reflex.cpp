// What a step boundary does to seeds without a command: the reflex, and what tests inject.
#include <limits>

#include "gpu/step_boundary.hpp"

namespace esper {

void StepBoundary::escape_region(RegionId region) {
  for (const auto& live : bed_.seeds())
    if (live->region == region && live->on_graph()) live->escape_to_zero();
}

Outcome StepBoundary::reflex_outcome(const LiveSeed& live, const char* cause) const {
  Outcome outcome;
  outcome.kind = CommandKind::escape;
  outcome.region = live.region;
  outcome.slot = live.slot();
  outcome.seed = live.seed->id;
  outcome.stage = live.stage;
  outcome.enforced = live.mitigations;
  outcome.parameters = live.seed->parameter_count();
  outcome.reflex = true;
  outcome.cause = cause;
  outcome.step = history_.step;
  return outcome;
}

bool StepBoundary::poison(RegionId region) {
  for (const auto& live : bed_.seeds()) {
    if (live->region != region || live->fossilised() || live->parameters.empty()) continue;
    const torch::NoGradGuard no_graph;
    for (const auto& parameter : live->parameters)
      parameter.fill_(std::numeric_limits<float>::quiet_NaN());
    return true;
  }
  return false;
}

void StepBoundary::escape_by_reflex(const char* cause, std::vector<Outcome>& outcomes) {
  for (const auto& live : bed_.seeds()) {
    if (!live->touches_host()) continue;
    live->escape_to_zero();
    outcomes.push_back(reflex_outcome(*live, cause));
    changed_ = true;
  }
}

}  // namespace esper
