#pragma once
// Seeds whose function a test gives.
#include <functional>
#include <utility>

#include "gpu/seed_slot.hpp"

namespace esper {

inline Blueprint plain_convolution() {
  Blueprint blueprint;
  blueprint.name = "plain_convolution";
  blueprint.kind = BlueprintKind::plain_convolution;
  blueprint.kernel = 3;
  return blueprint;
}

/// f given as a function; counts its calls.
struct Formula : SeedModule {
  explicit Formula(std::function<torch::Tensor(const torch::Tensor&)> function)
      : function_(std::move(function)) {}
  torch::Tensor forward(torch::Tensor input) override {
    ++calls;
    return function_(input);
  }
  int calls = 0;

 private:
  std::function<torch::Tensor(const torch::Tensor&)> function_;
};

inline ModuleBuilder formula(std::function<torch::Tensor(const torch::Tensor&)> function) {
  return [function](const Blueprint&, std::uint32_t, at::Generator&) {
    return std::make_shared<Formula>(function);
  };
}

}  // namespace esper
