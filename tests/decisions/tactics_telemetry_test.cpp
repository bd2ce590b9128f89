// Nothing is measured in vain: each field of the telemetry, changed alone, changes a decision.
#include <catch2/catch.hpp>

#include <map>
#include <string>

#include "messages/json.hpp"
#include "tests/decisions/scripted_region.hpp"

namespace esper {
namespace {

using Change = std::function<void(RegionTelemetry&)>;

Change in_seeds(const std::function<void(SeedTelemetry&)>& change) {
  return [=](RegionTelemetry& seen) {
    for (SeedTelemetry& seed : seen.seeds) change(seed);
  };
}

Change in_gates(const std::function<void(GateMeasurement&)>& change) {
  return in_seeds([=](SeedTelemetry& seed) { change(seed.gate); });
}

/// What was decided in 40 windows: commands, verdicts, energies, proposals, movements; none of the
/// copies of the telemetry itself.
std::string decided(const Change& change) {
  ScriptedRegion region;
  region.spoil = change;
  Tactics tactics = scripted_tactics();
  region.run(tactics, 40);
  std::string text;
  for (RegionPart part : region.parts) {
    RegionReport decision;
    decision.asked = part.report.asked;
    decision.movements = part.report.movements;
    part.report = decision;
    part.escalations.clear();
    for (GateVerdict& verdict : part.gates) verdict.measured = 0;
    for (Price& price : part.prices) {
      const Energy energy = price.energy;
      price = Price{};
      price.energy = energy;
    }
    for (OpportunityProposal& proposal : part.proposals) proposal.evidence.clear();
    text += canonical(part);
  }
  return text;
}

template <Described Message>
void check_each_field(const std::map<std::string, Change>& changes) {
  const std::string unchanged = decided([](RegionTelemetry&) {});
  REQUIRE(decided([](RegionTelemetry&) {}) == unchanged);
  const Message message{};
  for_each_field(message, [&](std::string_view name, const auto&) {
    CAPTURE(Message::schema.name, name);
    const auto found = changes.find(std::string{name});
    REQUIRE(found != changes.end());  // a new field needs its case here
    CHECK(decided(found->second) != unchanged);
  });
}

SCENARIO("every field of a region's telemetry changes some decision", "[tactics][telemetry]") {
  check_each_field<RegionTelemetry>({
      {"region", [](auto& seen) { seen.region = {1}; }},
      {"window", [](auto& seen) { seen.window = seen.window + 1; }},
      {"steps_covered", [](auto& seen) { seen.steps_covered = 0; }},
      {"steps_missing", [](auto& seen) { seen.steps_missing = 1; }},
      {"loss_mean",
       [](auto& seen) {
         if (seen.window.value > 10) seen.loss_mean = 1.3;
       }},
      {"loss_sigma",
       [](auto& seen) {
         if (seen.window.value > 3) seen.loss_sigma = 0.25;
       }},
      {"jitter", [](auto& seen) { seen.jitter = 0.06; }},
      {"drift", [](auto& seen) { seen.drift = 0.06; }},
      {"diversity", [](auto& seen) { seen.diversity = 0.5; }},
      {"signal_rms", [](auto& seen) { seen.signal_rms = 11; }},
      {"signal_gradient", [](auto& seen) { seen.signal_gradient = 0.09; }},
      {"gradient_norm_median", [](auto& seen) { seen.gradient_norm_median = 0.01; }},
      {"gradient_norm_max", [](auto& seen) { seen.gradient_norm_max = 51; }},
      {"non_finite", [](auto& seen) { seen.non_finite = 1; }},
      {"learning_rate_ratio", [](auto& seen) { seen.learning_rate_ratio = 0.9; }},
      {"seeds", [](auto& seen) { seen.seeds.clear(); }},
  });
}

SCENARIO("every field of a seed's telemetry changes some decision", "[tactics][telemetry]") {
  check_each_field<SeedTelemetry>({
      {"seed", in_seeds([](auto& seed) { ++seed.seed.value; })},
      {"slot", in_seeds([](auto& seed) { seed.slot = {2}; })},
      {"stage", in_seeds([](auto& seed) { seed.stage = Stage::fossilised; })},
      {"alpha", in_seeds([](auto& seed) { seed.alpha = 0; })},
      {"updates", in_seeds([](auto& seed) { seed.updates = 0; })},
      {"relative_norm", in_seeds([](auto& seed) { seed.relative_norm = 5; })},
      {"gradient_norm", in_seeds([](auto& seed) { seed.gradient_norm = 0; })},
      {"non_finite", in_seeds([](auto& seed) { seed.non_finite = 1; })},
      {"gate", in_seeds([](auto& seed) { seed.gate = {}; })},
  });
}

SCENARIO("every field of a gate's measurement changes some decision", "[tactics][telemetry]") {
  check_each_field<GateMeasurement>({
      {"measured", in_gates([](auto& gate) { gate.measured = false; })},
      {"loss_without", in_gates([](auto& gate) { gate.loss_without -= 0.5; })},
      {"loss_with", in_gates([](auto& gate) { gate.loss_with += 0.5; })},
      {"loss_joint", in_gates([](auto& gate) { gate.loss_joint += 0.5; })},
      {"finite", in_gates([](auto& gate) { gate.finite = false; })},
      {"samples", in_gates([](auto& gate) { gate.samples = 0; })},
  });
}

}  // namespace
}  // namespace esper
