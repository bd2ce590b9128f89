#include "actors/decisions/posture.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <utility>

namespace esper {
namespace {

constexpr std::uint32_t cycle = 4;

/// Reports of two calm regions whose loss falls by 5 % a window.
std::vector<RegionReport> calm(int window) {
  std::vector<RegionReport> reports(2);
  for (std::uint32_t region = 0; region < 2; ++region) {
    reports[region].region = {region};
    reports[region].learning_rate_ratio = 1;
    reports[region].loss_mean = 1;
    for (int i = 0; i < window; ++i) reports[region].loss_mean *= 0.95;
  }
  return reports;
}

struct Run {
  PostureHistory history;
  int window{};
  std::string reason;

  Posture see(const std::vector<RegionReport>& reports, double headroom = 1) {
    const PostureJudgement judged = judge_posture(history, reports, headroom, cycle, {});
    ++window;
    reason = judged.reason;
    return judged.posture;
  }
  Posture see_calm() { return see(calm(window)); }
};

SCENARIO("a calm run explores", "[posture]") {
  Run run;
  for (int i = 0; i < 20; ++i) CHECK(run.see_calm() == Posture::explore);
}

SCENARIO("crisis is entered on one region's report and left after two windows", "[posture]") {
  Run run;
  run.see_calm();
  auto shaken = calm(run.window);
  shaken[1].in_crisis = true;
  CHECK(run.see(shaken) == Posture::crisis);
  CHECK(run.see_calm() == Posture::crisis);
  CHECK(run.see(shaken) == Posture::crisis);
  CHECK(run.see_calm() == Posture::crisis);
  CHECK(run.see_calm() == Posture::explore);
}

SCENARIO("hold is entered on what is not finite and left after a clean cycle", "[posture]") {
  Run run;
  auto broken = calm(0);
  broken[0].non_finite = true;
  CHECK(run.see(broken) == Posture::hold);
  for (std::uint32_t i = 1; i < cycle; ++i) CHECK(run.see_calm() == Posture::hold);
  CHECK(run.see_calm() == Posture::explore);
}

SCENARIO("hold is entered on two regressions within a cycle", "[posture]") {
  Run run;
  auto regressed = calm(0);
  regressed[0].regressions = 1;
  CHECK(run.see(regressed) == Posture::explore);
  WHEN("the second comes within the cycle") {
    run.see_calm();
    CHECK(run.see(regressed) == Posture::hold);
    for (std::uint32_t i = 1; i < cycle; ++i) CHECK(run.see_calm() == Posture::hold);
    CHECK(run.see_calm() == Posture::explore);
  }
  WHEN("the second comes after it") {
    for (std::uint32_t i = 0; i < cycle; ++i) CHECK(run.see_calm() == Posture::explore);
    CHECK(run.see(regressed) == Posture::explore);
  }
  WHEN("a crisis comes on top") {
    auto both = regressed;
    both[1].in_crisis = true;
    CHECK(run.see(both) == Posture::crisis);
    CHECK(run.see_calm() == Posture::crisis);
    CHECK(run.see_calm() == Posture::hold);
  }
}

SCENARIO("exploit is entered when the learning rate decays everywhere", "[posture]") {
  Run run;
  GIVEN("a warm-up") {
    for (const double ratio : {0.1, 0.4, 0.7, 1.0}) {
      auto rising = calm(run.window);
      for (RegionReport& report : rising) report.learning_rate_ratio = ratio;
      CHECK(run.see(rising) == Posture::explore);
    }
    THEN("one region's decay is not enough, both regions' is") {
      auto falling = calm(run.window);
      falling[0].learning_rate_ratio = 0.8;
      CHECK(run.see(falling) == Posture::explore);
      std::swap(falling[0].learning_rate_ratio, falling[1].learning_rate_ratio);
      CHECK(run.see(falling) == Posture::explore);
      falling[0].learning_rate_ratio = 0.8;
      CHECK(run.see(falling) == Posture::exploit);
      CHECK(run.see_calm() == Posture::explore);
    }
  }
}

SCENARIO("exploit is entered on a flat loss and left when it falls", "[posture]") {
  Run run;
  Posture posture{};
  for (std::uint32_t i = 0; i < 3 * cycle; ++i) {
    CHECK(posture == Posture::explore);
    posture = run.see(calm(0));
  }
  CHECK(posture == Posture::exploit);
  for (std::uint32_t i = 0; i < cycle; ++i) posture = run.see(calm(5));
  CHECK(posture == Posture::explore);
}

SCENARIO("one flat cycle is not two", "[posture]") {
  Run run;
  for (const int loss : {0, 5, 5})
    for (std::uint32_t i = 0; i < cycle; ++i) CHECK(run.see(calm(loss)) == Posture::explore);
  for (std::uint32_t i = 0; i + 1 < cycle; ++i) CHECK(run.see(calm(5)) == Posture::explore);
  CHECK(run.see(calm(5)) == Posture::exploit);
}

SCENARIO("exploit is entered while headroom is below 1", "[posture]") {
  Run run;
  CHECK(run.see(calm(0), 0.5) == Posture::exploit);
  CHECK(run.see(calm(1), 1) == Posture::explore);
}

SCENARIO("nobody's reports change nothing", "[posture]") {
  Run run;
  auto shaken = calm(0);
  shaken[0].in_crisis = true;
  run.see(shaken);
  for (int i = 0; i < 5; ++i) CHECK(run.see({}) == Posture::crisis);
}

SCENARIO("numbers that are none leave the posture well defined", "[posture]") {
  Run run;
  auto odd = calm(0);
  for (RegionReport& report : odd) {
    report.loss_mean = std::numeric_limits<double>::quiet_NaN();
    report.learning_rate_ratio = std::numeric_limits<double>::infinity();
  }
  for (int i = 0; i < 20; ++i) CHECK(run.see(odd) == Posture::explore);
}

}  // namespace
}  // namespace esper
