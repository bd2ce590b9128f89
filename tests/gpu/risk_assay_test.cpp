#include "gpu/risk_assay.hpp"

#include <algorithm>
#include <map>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/gpu/formula_module.hpp"
#include "tests/test_seed.hpp"

using namespace esper;
using torch::Tensor;

SCENARIO("risk is measured on the module itself", "[risk_assay]") {
  const auto host = describe_host("fashion_cnn", "tiny").value();
  const SlotDescription& slot = host.slots[2];
  const std::uint64_t region = host.regions[slot.region.value].parameters;
  std::map<std::string, RiskSheet> sheets;
  const auto global = at::detail::getDefaultCPUGenerator().get_state();
  double worst = 0;
  const auto language = describe_host("byte_transformer", "lm-64").value();
  for (const Blueprint& blueprint : built_in_blueprints()) {
    const SlotDescription& place = fits(blueprint, slot) ? slot : language.slots[2];
    const RiskSheet sheet = assay(blueprint, {2}, place, region, test_seed());
    INFO(blueprint.name << ": risk " << sheet.risk);
    CHECK_FALSE(sheet.non_finite);
    CHECK_FALSE(sheet.quarantined);
    CHECK(sheet.risk >= 0.1);
    CHECK(sheet.parameters == parameters_of(blueprint, place.channels));
    CHECK(sheet.confidence >= 0.5);
    const RiskSheet again = assay(blueprint, {2}, place, region, test_seed());
    CHECK(again.risk == sheet.risk);
    CHECK(again.relative_norm == sheet.relative_norm);
    worst = std::max(worst, sheet.risk);
    sheets[blueprint.name] = sheet;
  }
  CHECK(bits_equal(global, at::detail::getDefaultCPUGenerator().get_state()));
  // The order that trials gave, of those far apart in it.
  CHECK(sheets["normalisation"].risk < sheets["depthwise_separable"].risk);
  CHECK(sheets["low_rank"].risk < sheets["bottleneck"].risk);

  const RiskSheet amplifier = assay(plain_convolution(), {2}, slot, region, test_seed(),
                                    formula([](const Tensor& h) { return h * 100; }));
  CHECK(amplifier.risk > worst);
  CHECK(amplifier.output_gain > 100);
  const RiskSheet divider =
      assay(plain_convolution(), {2}, slot, region, test_seed(), formula([](const Tensor& h) {
              return h / h.std(c10::IntArrayRef{0, 2, 3}, true, true);
            }));
  CHECK(divider.risk > worst);
  CHECK(divider.quarantined);
}
