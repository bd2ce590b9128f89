// The journal's text written and read without a tree: the same bytes, the same values.
#include "messages/canonical.hpp"

#include <catch2/catch.hpp>

#include "messages/breaker_change.hpp"
#include "messages/control.hpp"
#include "tests/messages/filler.hpp"

namespace esper {
namespace {

using Payloads =
    std::tuple<HostDescription, Catalogue, WindowSummary, RegionTelemetry, TurnApplied, Outcome,
               SeedStatus, RegionReport, GateVerdict, Price, AdaptationCommand, OpportunityProposal,
               Escalation, StrategyPart, Absence, Restart, BreakerChange, CheckpointReady,
               SurgeryOutcome, ScaffoldRequest, ImportanceReport, PruningPart, Override,
               InjectedFault, DeviceTelemetry>;

}  // namespace

TEMPLATE_LIST_TEST_CASE("text without a tree is the tree's text", "[canonical]", Payloads) {
  INFO(TestType::schema.name);
  for (const bool awkward_floats : {false, true})
    for (const bool plain_texts : {false, true}) {
      TestType message{};
      CHECK(canonical_text(message) == canonical(message));
      Filler{awkward_floats, plain_texts}.fill(message);
      const auto text = canonical(message);
      CHECK(canonical_text(message) == text);
      CHECK(canonical(parsed_canonical<TestType>(text)) == text);
    }
}

SCENARIO("a text that is written otherwise is read all the same, and nonsense is refused",
         "[canonical]") {
  const Price price{.risk = 0.5, .energy = {12}};
  const auto spaced = to_json(price, Floats::plain).dump(2);
  CHECK(canonical(parsed_canonical<Price>(spaced)) == canonical(price));
  CHECK_THROWS(parsed_canonical<Price>("{"));
  CHECK_THROWS(parsed_canonical<Price>(R"({"risk":1})"));
  CHECK_THROWS(parsed_canonical<Absence>(R"({"reason":"x","region":0,"role":"nobody"})"));
  CHECK_THROWS(parsed_canonical<Absence>(canonical(Absence{}) + "x"));
}

}  // namespace esper
