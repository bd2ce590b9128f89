#include "actors/decisions/region_health.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <limits>

namespace esper {
namespace {

const GateConfig gates;

RegionTelemetry calm(std::uint64_t window) {
  RegionTelemetry seen;
  seen.window = {window};
  seen.steps_covered = 25;
  seen.loss_mean = 1;
  seen.loss_sigma = 0.1;
  seen.diversity = seen.signal_rms = seen.signal_gradient = 1;
  seen.gradient_norm_median = 1;
  seen.gradient_norm_max = 2;
  return seen;
}

SCENARIO("each band alone decides whether a window is stable", "[region_health]") {
  CHECK(stable_window(calm(1), gates));
  const std::function<void(RegionTelemetry&)> faults[]{
      [](auto& seen) { seen.steps_covered = 0; },
      [](auto& seen) { seen.steps_missing = 1; },
      [](auto& seen) { seen.non_finite = 1; },
      [](auto& seen) { seen.loss_mean = std::numeric_limits<double>::quiet_NaN(); },
      [](auto& seen) { seen.loss_sigma = std::numeric_limits<double>::infinity(); },
      [](auto& seen) { seen.jitter = 0.051; },
      [](auto& seen) { seen.jitter = std::numeric_limits<double>::quiet_NaN(); },
      [](auto& seen) { seen.drift = 0.051; },
      [](auto& seen) { seen.diversity = 0.59; },
      [](auto& seen) { seen.signal_rms = 0.09; },
      [](auto& seen) { seen.signal_rms = 10.1; },
      [](auto& seen) { seen.signal_gradient = 0.09; },
      [](auto& seen) { seen.gradient_norm_max = 50.1; }};
  for (const auto& fault : faults) {
    RegionTelemetry seen = calm(1);
    fault(seen);
    CHECK_FALSE(stable_window(seen, gates));
  }
}

SCENARIO("stable windows are counted in a row", "[region_health]") {
  RegionHealth health;
  for (std::uint64_t window = 1; window <= 3; ++window)
    observe(health, {0}, {window}, calm(window), gates);
  CHECK(health.stable_windows == 3);
  CHECK(health.sigma_base == Approx(0.1));
  WHEN("a window is missing") {
    observe(health, {0}, {5}, calm(5), gates);
    THEN("the count begins again") { CHECK(health.stable_windows == 1); }
  }
  WHEN("another window's or region's telemetry comes") {
    observe(health, {0}, {4}, calm(3), gates);
    CHECK(health.stable_windows == 0);
    observe(health, {1}, {5}, calm(5), gates);
    CHECK(health.stable_windows == 0);
  }
  WHEN("a window is not stable") {
    RegionTelemetry seen = calm(4);
    seen.jitter = 1;
    seen.loss_sigma = 0.5;
    observe(health, {0}, {4}, seen, gates);
    THEN("the count begins again and its noise is no base") {
      CHECK(health.stable_windows == 0);
      CHECK(health.sigma_base == Approx(0.1));
    }
  }
  WHEN("the noise doubles") {
    RegionTelemetry seen = calm(4);
    seen.loss_sigma = 0.2;
    observe(health, {0}, {4}, seen, gates);
    THEN("volatility rises against the slow base, which follows") {
      CHECK(health.volatility == Approx(0.5));
      CHECK(health.sigma_base == Approx(0.11));
    }
  }
}

SCENARIO("volatility is 0 before the first stable window", "[region_health]") {
  RegionHealth health;
  RegionTelemetry seen = calm(1);
  seen.jitter = 1;
  seen.loss_sigma = 9;
  observe(health, {0}, {1}, seen, gates);
  CHECK(health.volatility == 0);
}

SCENARIO("two bands left for two windows are a crisis", "[region_health]") {
  RegionHealth health;
  const auto see = [&](std::uint64_t window, const std::function<void(RegionTelemetry&)>& fault) {
    RegionTelemetry seen = calm(window);
    fault(seen);
    observe(health, {0}, {window}, seen, gates);
    return health.in_crisis();
  };
  const auto one = [](RegionTelemetry& seen) { seen.jitter = 1; };
  const auto two = [](RegionTelemetry& seen) { seen.jitter = seen.drift = 1; };
  const auto signals = [](RegionTelemetry& seen) { seen.signal_rms = seen.signal_gradient = 0; };
  const auto noisy = [](RegionTelemetry& seen) {
    seen.diversity = 0;
    seen.loss_sigma = 0.3;
  };
  see(1, [](RegionTelemetry&) {});
  CHECK_FALSE(see(2, one));
  CHECK_FALSE(see(3, one));
  CHECK_FALSE(see(4, two));
  CHECK(see(5, signals));
  CHECK_FALSE(see(6, one));
  CHECK_FALSE(see(7, noisy));
  CHECK(see(8, noisy));
  WHEN("telemetry is lost") {
    observe(health, {0}, {9}, calm(1), gates);
    THEN("the crisis is not over for that") { CHECK(health.in_crisis()); }
    THEN("nor for a gap, while its bands are left") { CHECK(see(11, two)); }
    THEN("the first calm window ends it") { CHECK_FALSE(see(10, one)); }
  }
}

SCENARIO("a window missing between two alarming ones: no two in a row", "[region_health]") {
  RegionTelemetry alarming = calm(1);
  alarming.jitter = alarming.drift = 1;
  const auto see = [&](RegionHealth& health, std::uint64_t window) {
    alarming.window = {window};
    observe(health, {0}, {window}, alarming, gates);
    return health.in_crisis();
  };
  RegionHealth lost, gap, whole;
  CHECK_FALSE(see(lost, 1));
  CHECK_FALSE(see(gap, 1));
  CHECK_FALSE(see(whole, 1));
  observe(lost, {0}, {2}, calm(1), gates);
  CHECK_FALSE(see(lost, 3));
  CHECK_FALSE(see(gap, 3));
  CHECK(see(whole, 2));
  CHECK(see(lost, 4));
  CHECK(see(gap, 4));
}

SCENARIO("volatility alone is one band, and counts from above one half", "[region_health]") {
  RegionTelemetry seen = calm(1);
  CHECK(bands_left(seen, 0.5, gates).size() == 0);
  CHECK(bands_left(seen, 0.51, gates).size() == 1);
  seen.jitter = 1;
  CHECK(bands_left(seen, 0.51, gates).size() == 2);
}

}  // namespace
}  // namespace esper
