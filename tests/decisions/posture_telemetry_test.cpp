// From telemetry to Tamiyo's stance, with nothing between but the two minds themselves.
#include <catch2/catch.hpp>

#include <functional>
#include <limits>

#include "tests/decisions/scripted_region.hpp"
#include "tests/decisions/some_reports.hpp"
#include "tests/decisions/turn_reports.hpp"

namespace esper {
namespace {

/// One region without energy, so that nothing but its telemetry changes.
struct Watched {
  ScriptedRegion region;
  Tactics tactics = scripted_tactics(region.settings);
  Strategy strategy{strategy_settings(0, 1)};
  double loss{2};
  double falls_to{0.95};  ///< of itself, each window

  Posture see(const std::function<void(RegionTelemetry&)>& change = [](RegionTelemetry&) {}) {
    region.strategist = Answers{};
    region.spoil = [&](RegionTelemetry& seen) {
      seen.loss_mean = loss *= falls_to;
      seen.drift = falls_to - 1;
      change(seen);
    };
    const RegionTurn turn = region.next();
    const RegionPart part = decide(tactics, turn, {1});
    region.take(part);
    (void)decide(strategy, turn_reports(turn.window, {part.report}, part.proposals), {1});
    return strategy.posture;
  }
  void see_calm(int windows) {
    for (int window = 0; window < windows; ++window) CHECK(see() == Posture::explore);
  }
};

SCENARIO("each posture is entered and left on telemetry alone", "[posture][telemetry]") {
  Watched watched;
  const int cycle = static_cast<int>(watched.strategy.settings.time.cycle_windows);
  watched.see_calm(5);
  WHEN("two bands are left for two windows") {
    const auto alarm = [](RegionTelemetry& seen) { seen.jitter = seen.diversity = 0.3; };
    CHECK(watched.see(alarm) == Posture::explore);
    CHECK(watched.see(alarm) == Posture::crisis);
    CHECK(watched.see(alarm) == Posture::crisis);
    THEN("crisis ends with the second calm window") {
      CHECK(watched.see() == Posture::crisis);
      watched.see_calm(3);
    }
  }
  WHEN("one band is left") {
    for (int window = 0; window < 4; ++window)
      CHECK(watched.see([](RegionTelemetry& seen) { seen.jitter = 0.3; }) == Posture::explore);
  }
  WHEN("a step was not finite") {
    CHECK(watched.see([](RegionTelemetry& seen) { seen.non_finite = 1; }) == Posture::hold);
    THEN("hold ends after a clean cycle") {
      for (int window = 1; window < cycle; ++window) CHECK(watched.see() == Posture::hold);
      watched.see_calm(3);
    }
  }
  WHEN("the learning rate decays") {
    const auto decay = [](RegionTelemetry& seen) { seen.learning_rate_ratio = 0.9; };
    CHECK(watched.see(decay) == Posture::exploit);
    CHECK(watched.see(decay) == Posture::exploit);
    THEN("exploit ends when it rises again") { watched.see_calm(3); }
  }
  WHEN("the loss is flat for two cycles") {
    watched.falls_to = 1;
    int windows = 0;
    while (watched.see() == Posture::explore && windows < 6 * cycle) ++windows;
    CHECK(windows >= 2 * cycle);
    CHECK(watched.see() == Posture::exploit);
    THEN("exploit ends with a cycle in which it fell") {
      watched.falls_to = 0.95;
      windows = 0;
      while (watched.see() == Posture::exploit && windows < 6 * cycle) ++windows;
      CHECK(windows <= 2 * cycle);
    }
  }
}

}  // namespace
}  // namespace esper
