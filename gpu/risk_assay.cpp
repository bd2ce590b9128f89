#include "gpu/risk_assay.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "actors/decisions/base_risk.hpp"
#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/random.hpp"
#include "gpu/isolation.hpp"
#include "gpu/vital_signs.hpp"

namespace esper {
namespace {

using torch::Tensor;

constexpr std::int64_t probe_batch = 16;
constexpr std::int64_t sequence_batch = 4;  // each holds many positions
constexpr std::uint64_t probes = 4;
/// Up, not down: a normaliser lifts faint input by design, but activations that grow must not be
/// made to grow faster.
constexpr std::array scales{1.0, 10.0, 100.0};
constexpr double extreme = 1e6;
constexpr double agreement = 0.1;

struct Probe {
  double gradient_gain{}, output_gain{}, relative_norm{};
  bool non_finite{};
};

/// What one module, freshly built, does to h and to the gradient that comes back.
class Bench {
 public:
  Bench(SeedModule& module, at::Generator& generator, const SlotDescription& slot)
      : module_(module), generator_(generator), of_sequences_(slot.layout == Layout::sequence) {
    if (of_sequences_)
      shape_ = {sequence_batch, slot.height, slot.channels};
    else
      shape_ = {probe_batch, slot.channels, slot.height, slot.width};
  }

  Probe measure() {
    Probe probe;
    for (const double scale : scales) {
      const Tensor input = (of_sequences_ ? noise() : torch::relu(noise())) * scale;
      const Pass pass = run(input);
      const double size = root_mean_square(input);
      probe.output_gain = worse(probe.output_gain, root_mean_square(pass.output) / size);
      if (scale == scales.front()) {
        probe.relative_norm = root_mean_square(pass.added) / size;
        probe.gradient_gain =
            root_mean_square(pass.input_gradient) / root_mean_square(pass.output_gradient);
      }
      probe.non_finite = probe.non_finite || !pass.finite;
    }
    for (const Tensor& input : {torch::zeros(shape_), torch::full(shape_, 1.0), noise() * extreme})
      probe.non_finite = !run(input).finite || probe.non_finite;
    return probe;
  }

 private:
  struct Pass {
    Tensor output, added, input_gradient, output_gradient;
    bool finite{};
  };

  /// NaN stays: it is worse than any number.
  static double worse(double a, double b) { return std::isnan(a) || a > b ? a : b; }

  Tensor noise() { return torch::empty(shape_).normal_(0, 1, generator_); }

  Pass run(const Tensor& values) {
    Pass pass;
    pass.output_gradient = noise();
    const RandomStreamScope scope(generator_);
    const Tensor input = values.detach().clone().set_requires_grad(true);
    pass.added = module_.forward(input);
    pass.output = input + pass.added;
    std::vector<Tensor> targets = module_.parameters();
    targets.insert(targets.begin(), input);
    const auto gradients = torch::autograd::grad({pass.output}, targets, {pass.output_gradient},
                                                 false, false, /*allow_unused=*/true);
    pass.input_gradient = gradients.front();
    pass.output = pass.output.detach();
    pass.added = pass.added.detach();
    pass.finite = all_finite(pass.output);
    for (const Tensor& gradient : gradients)
      if (gradient.defined()) pass.finite = pass.finite && all_finite(gradient);
    return pass;
  }

  SeedModule& module_;
  at::Generator& generator_;
  bool of_sequences_;
  std::vector<std::int64_t> shape_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());  // callers replace NaN first
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

/// A sheet holds finite figures only; nothing real comes near this one.
double number(double value) { return finite(value) ? value : 1e9; }

}  // namespace

RiskSheet assay(const Blueprint& blueprint, SlotId slot, const SlotDescription& description,
                std::uint64_t region_parameters, std::uint64_t seed, const ModuleBuilder& builder) {
  at::AutoGradMode gradients(true);
  RiskSheet sheet;
  sheet.blueprint = blueprint.name;
  sheet.slot = slot;
  sheet.operations =
      operations_of(blueprint, description.channels, description.height, description.width);
  std::vector<double> gradient_gains, output_gains, relative_norms;
  std::vector<Probe> measured;
  for (std::uint64_t i = 0; i < probes; ++i) {
    at::Generator generator =
        own_generator(seed, "assay " + blueprint.name, slot.value * probes + i);
    const auto module = builder(blueprint, description.channels, generator);
    sheet.parameters = 0;
    for (const Tensor& parameter : module->parameters())
      sheet.parameters += static_cast<std::uint64_t>(parameter.numel());
    const Probe probe = Bench(*module, generator, description).measure();
    measured.push_back(probe);
    gradient_gains.push_back(number(probe.gradient_gain));
    output_gains.push_back(number(probe.output_gain));
    relative_norms.push_back(number(probe.relative_norm));
    sheet.non_finite = sheet.non_finite || probe.non_finite;
  }
  sheet.gradient_gain = median(gradient_gains);
  sheet.output_gain = median(output_gains);
  sheet.relative_norm = median(relative_norms);
  sheet.bytes = training_bytes(sheet.parameters);
  const double share = region_parameters == 0 ? 1
                                              : static_cast<double>(sheet.parameters) /
                                                    static_cast<double>(region_parameters);
  sheet.risk = base_risk({sheet.gradient_gain, sheet.output_gain, share, sheet.non_finite});
  const auto agreed = std::count_if(measured.begin(), measured.end(), [&](const Probe& probe) {
    const double own = base_risk({probe.gradient_gain, probe.output_gain, share, probe.non_finite});
    return std::abs(own - sheet.risk) <= agreement;
  });
  sheet.confidence = static_cast<double>(agreed) / static_cast<double>(probes);
  sheet.quarantined = sheet.non_finite;
  return sheet;
}

}  // namespace esper
