#include "actors/decisions/blueprint_catalogue.hpp"
#include "gpu/seed_slot.hpp"
#include "tests/gpu/bits.hpp"
#include "tests/gpu/catch.hpp"
#include "tests/test_seed.hpp"

#include <limits>

#include <torch/types.h>

using namespace esper;

SCENARIO("IDENT-1: at alpha 0 no blueprint is noticed, whatever its weights",
         "[blueprint_modules][IDENT-1]") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const Blueprint& blueprint : built_in_blueprints())
    for (const std::uint32_t channels : {8U, 33U})
      for (const float weights : {nan, infinity, 1e30F}) {
        INFO(blueprint.name << " on " << channels << " channels, weights " << weights);
        const Layout layout = layout_of(blueprint.kind);
        const SlotDescription place{"slot", {}, SlotKind::point, "",    channels, 7,
                                    7,      0,  "layer",         layout};
        const auto seed = std::make_shared<Seed>(SeedId{1}, blueprint, std::vector<SlotId>{{0}},
                                                 std::vector<SlotDescription>{place}, test_seed());
        const torch::NoGradGuard no_graph;
        for (const auto& parameter : seed->parameters()) parameter.fill_(weights);
        Slot slot(place);
        slot.plant(seed, 0);
        const std::vector<std::int64_t> shape = layout == Layout::sequence
                                                    ? std::vector<std::int64_t>{4, 49, channels}
                                                    : std::vector<std::int64_t>{4, channels, 7, 7};
        const auto host = torch::full(shape, -0.0F);
        const auto before = host.clone();
        for (const SlotMode mode : {SlotMode::isolated, SlotMode::blended, SlotMode::fossilised}) {
          slot.set_mode(mode);
          CHECK(slot(host).is_same(host));
        }
        CHECK(bits_equal(host, before));
        seed->alpha = 1;
        CHECK_FALSE(slot(host).is_same(host));
      }
}
