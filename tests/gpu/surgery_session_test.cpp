// A surgery through a session: ordered for one checkpoint's boundary, verified, kept or undone.
#include "tests/gpu/catch.hpp"
#include "tests/gpu/residual_host.hpp"
#include "tests/gpu/surgery_host.hpp"
#include "tests/gpu/test_loop.hpp"

using namespace esper;

namespace {

/// Windows of 5 steps, a checkpoint every second.
SessionSettings surgery_settings(double accuracy_drop_max) {
  auto settings = test_settings();
  settings.time.cycle_windows = 2;
  settings.time.checkpoint_cycles = 1;
  settings.compaction.importance_samples = 32;
  settings.compaction.accuracy_drop_max = accuracy_drop_max;
  return settings;
}

HostUnderTest surgery_host() {
  return {[] { return std::make_unique<SurgeryHost>(); }, {1, 6, 6}};
}

class SurgeryLoop : public TestLoop {
 public:
  explicit SurgeryLoop(double accuracy_drop_max = 1)
      : SurgeryLoop(accuracy_drop_max, surgery_host()) {}
  SurgeryLoop(double accuracy_drop_max, const HostUnderTest& tested)
      : TestLoop(surgery_settings(accuracy_drop_max), tested) {
    at::set_num_threads(1);
  }
  /// The boundary of checkpoint 1 closes, and Elesh measures there.
  ImportanceReport measured() {
    close_window();
    close_window();
    return exchange->measure_importance(1).value();
  }
  /// Ordered in the turn of window 3, for the boundary of window 4.
  SurgeryOutcome carried_out(SurgeryOrder ordered) {
    close_window();
    surgery = std::move(ordered);
    close_window();
    return reports.back().surgeries.at(0);
  }
};

/// The first channels of the top group stay.
SurgeryOrder order_to_keep(std::uint32_t channels) {
  SurgeryOrder order;
  order.plan.id = 1;
  order.plan.cuts = {{"top", {}}};
  for (std::uint32_t channel = 0; channel < channels; ++channel)
    order.plan.cuts[0].kept.push_back(channel);
  order.epoch = {1};
  order.boundary = {4};
  return order;
}

HostUnderTest residual_host() {
  return {[] { return std::make_unique<ResidualHost>(); }, {2, 6, 6}};
}

SurgeryOrder order_to_remove(const std::string& layer) {
  SurgeryOrder order = order_to_keep(0);
  order.plan.cuts.clear();
  order.plan.layers = {layer};
  return order;
}

/// Whatever a cut costs is too much: it is undone, and weights, moments and streams are those of a
/// run that was never cut, at once and later. `look` sees the loop behind the undone surgery.
template <typename Look>
void as_if_it_had_never_been(const HostUnderTest& tested, const SurgeryOrder& order, Look&& look) {
  // One after the other: both draw their dropout from the global stream.
  const auto digests = [&](bool harmed) {
    SurgeryLoop loop(/*accuracy_drop_max=*/-1, tested);
    (void)loop.measured();
    if (harmed) {
      const auto outcome = loop.carried_out(order);
      CHECK(outcome.refusal == SurgeryRefusal::harmful);
      CHECK(outcome.loss_after != outcome.loss_before);
      CHECK(outcome.operations_after == outcome.operations_before);
      look(loop, outcome);
    } else {
      loop.close_window();
      loop.close_window();
    }
    const auto at_once = loop.digest();
    loop.run(20);
    return std::pair{at_once, loop.digest()};
  };
  const auto [undone, later] = digests(true);
  const auto [untouched, as_ever] = digests(false);
  CHECK(differing(undone, untouched) == 0);
  CHECK(differing(later, as_ever) == 0);
}

}  // namespace

SCENARIO("a whole layer leaves through a session, and training goes on",
         "[surgery][session][layers]") {
  SurgeryLoop loop(1, residual_host());
  const auto report = loop.measured();
  REQUIRE(report.problem == "");
  REQUIRE(report.layers.size() == ResidualHost::layers);
  const HostDescription before = loop.host->description();
  const auto outcome = loop.carried_out(order_to_remove("layer2"));
  INFO(outcome.detail);
  REQUIRE(outcome.refusal == SurgeryRefusal::none);
  CHECK(outcome.layers == std::vector<std::string>{"layer2"});
  CHECK(outcome.structure_version == 1);
  // norm, up and down: 2 x 8, 8 x 12 + 12, 12 x 8 + 8.
  CHECK(outcome.parameters_before - outcome.parameters_after == 228);
  CHECK(outcome.operations_before - outcome.operations_after == 36 * (8 + 2 * 96));
  CHECK(loop.host->description().operations < before.operations);
  CHECK(loop.host->description().residual_layers[2].removed);
  loop.run(50);
  const auto next = loop.exchange->measure_importance(loop.session->last_window().value / 2);
  REQUIRE(next.has_value());
  CHECK(next->problem == "");
  CHECK(next->layers.size() == ResidualHost::layers - 1);
  CHECK(next->groups.size() == ResidualHost::layers - 1);
}

SCENARIO("ROLL-1: a layer whose removal harms is put back, and its run goes on as if it had stayed",
         "[surgery][session][layers][ROLL-1]") {
  as_if_it_had_never_been(residual_host(), order_to_remove("layer1"),
                          [](const SurgeryLoop& loop, const SurgeryOutcome& outcome) {
                            CHECK(outcome.layers.empty());
                            CHECK_FALSE(loop.host->description().residual_layers[1].removed);
                          });
}

SCENARIO("a surgery that is kept: fewer operations, and training goes on", "[surgery][session]") {
  SurgeryLoop loop;
  const auto report = loop.measured();
  CHECK(report.problem == "");
  CHECK(report.groups.size() == 2);
  const auto operations = loop.host->description().operations;
  const auto outcome = loop.carried_out(order_to_keep(5));
  INFO(outcome.detail);
  REQUIRE(outcome.refusal == SurgeryRefusal::none);
  CHECK(outcome.operations_before == operations);
  CHECK(outcome.operations_after == loop.host->description().operations);
  CHECK(outcome.operations_after < operations);
  CHECK(loop.host->description().coupled_groups[1].channels == 5);
  CHECK(loop.session->cut());
  const auto before = loop.digest(/*streams=*/false);
  loop.run(50);
  CHECK(differing(before, loop.digest(/*streams=*/false)) == before.size());
  THEN("the next checkpoint is measured on the shape that is left") {
    const auto next = loop.exchange->measure_importance(loop.session->last_window().value / 2);
    REQUIRE(next.has_value());
    CHECK(next->problem == "");
    CHECK(next->groups.at(1).importance.size() == 5);
    CHECK(next->structure_version == outcome.structure_version);
  }
}

SCENARIO("ROLL-1: a surgery that harms is undone, and its run goes on as if it had never been",
         "[surgery][session][ROLL-1]") {
  as_if_it_had_never_been(
      surgery_host(), order_to_keep(4),
      [](const SurgeryLoop& loop, const SurgeryOutcome&) { CHECK_FALSE(loop.session->cut()); });
}

SCENARIO("an order that is stale, late, old or unchecked changes nothing, and says why",
         "[surgery][session][FENCE-1]") {
  const auto refusal_of = [](bool checked, const std::function<void(SurgeryOrder&)>& change) {
    SurgeryLoop loop;
    if (checked) {
      (void)loop.measured();
    } else {
      loop.close_window();
      loop.close_window();
    }
    auto order = order_to_keep(5);
    change(order);
    const auto operations = loop.host->description().operations;
    const auto outcome = loop.carried_out(order);
    CHECK(loop.host->description().operations == operations);
    CHECK_FALSE(loop.session->cut());
    CHECK_FALSE(outcome.detail.empty());
    return std::string{name_of(outcome.refusal)};
  };
  CHECK(refusal_of(false, [](SurgeryOrder&) {}) == "wrong_coupling");
  CHECK(refusal_of(true, [](auto& order) { order.boundary = {2}; }) == "not_a_checkpoint");
  CHECK(refusal_of(true, [](auto& order) { order.plan.zone_version = 3; }) == "zone_changed");
  CHECK(refusal_of(true, [](auto& order) { order.plan.structure_version = 7; }) ==
        "stale_structure");
  CHECK(refusal_of(true, [](auto& order) { order.plan.cuts[0].group = "nowhere"; }) == "uncoupled");
}
