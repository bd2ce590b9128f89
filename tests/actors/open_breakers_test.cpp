// What is told of breakers: gauge, counter, the trainer, and the changes for the journal.
#include "actors/open_breakers.hpp"

#include <catch2/catch.hpp>

#include "tests/actors/context_rig.hpp"
#include "tests/actors/fake_trainer.hpp"

namespace esper {
namespace {

struct Shown {
  FakeTrainer trainer{1, 1};
  SeenMetrics metrics;
  OpenBreakers breakers{trainer, metrics};
  Breaker disk{"disk", {.failures_max = 1, .backoff_first = 10, .backoff_max = 40}};

  void show(BreakerReach reach = BreakerReach::turns_go_on) { breakers.show(disk, "3", reach); }
  [[nodiscard]] std::vector<BreakerState> states() {
    std::vector<BreakerState> told;
    for (const auto& change : breakers.unrecorded()) told.push_back(change.state);
    return told;
  }
};

using enum BreakerState;

}  // namespace

SCENARIO("every change of a breaker waits for the journal, in order and once", "[breakers]") {
  Shown shown;
  shown.show();
  CHECK(shown.states().empty());  // closed, as it began
  shown.disk.failed(0, "full");
  shown.show();
  shown.show();
  REQUIRE(shown.disk.pass(10));
  shown.show();
  shown.disk.succeeded();
  shown.show();
  CHECK(shown.states() == std::vector{open, half_open, closed});
  const auto first = shown.breakers.unrecorded().front();
  CHECK(first.name == "disk");
  CHECK(first.region == "3");
  CHECK(first.cause == "full");

  shown.breakers.recorded(2);
  CHECK(shown.states() == std::vector{closed});
}

SCENARIO("a breaker inside a decision shows its metrics and leaves the journal alone",
         "[breakers]") {
  Shown shown;
  shown.disk.failed(0, "thrashing");
  shown.show(BreakerReach::decided);
  CHECK(shown.metrics.value("esper_breaker_open", "disk", "3") == 1);
  CHECK(shown.metrics.value("esper_breaker_openings_total", "disk", "3") == 1);
  CHECK(shown.states().empty());
}

SCENARIO("changes beyond the bound are counted in the first that is kept again", "[breakers]") {
  Shown shown;
  for (int i = 0; i < 300; ++i) {
    shown.disk = Breaker{"disk", {.failures_max = 1, .backoff_first = 10, .backoff_max = 40}};
    if (i % 2 == 0) shown.disk.failed(0, "full");
    shown.show();
  }
  CHECK(shown.states().size() == 256);
  shown.breakers.recorded(256);
  shown.disk.failed(0, "full");
  shown.show();
  REQUIRE(shown.breakers.unrecorded().size() == 1);
  CHECK(shown.breakers.unrecorded().front().unrecorded == 44);
}

}  // namespace esper
