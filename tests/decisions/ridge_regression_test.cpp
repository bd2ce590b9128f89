#include "actors/decisions/ridge_regression.hpp"

#include "actors/decisions/random.hpp"
#include "tests/test_seed.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace esper {
namespace {

SCENARIO("a ridge regression starts at its prior and finds the truth", "[ridge_regression]") {
  RandomStream random{test_seed(), "ridge"};
  RidgeRegression<3> model{{0.5, 0, 0}, 1};
  CHECK(model.mean({1, 7, -3}) == 0.5);
  CHECK(model.width({1, 0, 0}) == 1);
  double width_before = 1;
  for (int sample = 0; sample < 2'000; ++sample) {
    const RidgeRegression<3>::Vector at{1, random.uniform(), random.uniform()};
    model.learn(at, 0.2 + 0.7 * at[1] - 0.4 * at[2] + 0.1 * (random.uniform() - 0.5));
    CHECK(model.width({1, 0, 0}) <= width_before);
    width_before = model.width({1, 0, 0});
  }
  CHECK(model.weights()[0] == Approx(0.2).margin(0.05));
  CHECK(model.weights()[1] == Approx(0.7).margin(0.05));
  CHECK(model.weights()[2] == Approx(-0.4).margin(0.05));
}

SCENARIO("a ridge regression is the exact minimum", "[ridge_regression]") {
  RidgeRegression<1> model{{2}, 1};
  model.learn({1}, 5);
  model.learn({1}, 8);
  CHECK(model.weights()[0] == Approx(5));  // (prior 2 + 5 + 8) / 3
  CHECK(model.width({1}) == Approx(std::sqrt(1.0 / 3)));
  RidgeRegression<1> firm{{2}, 8};
  firm.learn({1}, 11);
  CHECK(firm.weights()[0] == Approx(3));  // (8 * prior 2 + 11) / 9
}

SCENARIO("a ridge regression leaves out what is not finite", "[ridge_regression]") {
  RidgeRegression<2> model{{1, 2}, 1};
  const double infinity = std::numeric_limits<double>::infinity();
  model.learn({1, infinity}, 1);
  model.learn({1, 1}, infinity - infinity);
  model.learn({1e300, 1e300}, 1);
  CHECK(model.mean({1, 1}) == 3);
  CHECK(model.width({1, 0}) == 1);
}

}  // namespace
}  // namespace esper
