#include "actors/decisions/base_risk.hpp"
#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/host_catalogue.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <set>

using namespace esper;

namespace {

const std::string host = "fashion_cnn";

std::uint64_t count(const std::string& size, const std::vector<std::uint32_t>& widths) {
  return describe_host(host, size, widths).value().parameters;
}

}  // namespace

SCENARIO("hosts are described by formula", "[host_catalogue]") {
  const std::vector<std::pair<std::string, std::uint64_t>> known{
      {"tiny", 12'082}, {"base", 94'962}, {"deep", 21'362}, {"melt", 15'946}};
  REQUIRE(host_sizes(host).size() == known.size());
  for (const auto& [size, parameters] : known) {
    INFO(size);
    const HostDescription described = describe_host(host, size).value();
    CHECK(described.parameters == parameters);
    std::uint64_t held = 0;
    std::uint64_t operations = 0;
    for (const RegionDescription& region : described.regions) {
      CHECK(region.parameters > 0);
      CHECK(region.operations > 0);
      held += region.parameters;
      operations += region.operations;
    }
    CHECK(held == described.parameters);
    CHECK(operations == described.operations);
    CHECK(described.edges.size() == described.regions.size() - 1);

    std::set<std::string> names;
    std::vector<bool> has_point(described.regions.size(), false);
    for (const SlotDescription& slot : described.slots) {
      names.insert(slot.name);
      CHECK(slot.operations_downstream < described.operations);
      if (slot.kind == SlotKind::point) has_point[slot.region.value] = true;
    }
    CHECK(names.size() == described.slots.size());
    CHECK(std::count(has_point.begin(), has_point.end(), true) ==
          static_cast<std::ptrdiff_t>(described.regions.size()));
  }
  CHECK(describe_host(host, "base").value().operations == 6'161'632);
  CHECK(describe_host(host, "tiny").value().regions.size() == 3);
  CHECK(describe_host(host, "deep").value().regions.size() == 4);
  CHECK(describe_host(host, "tiny").value().slots[0].name == "early.a");
  CHECK(describe_host(host, "tiny").value().slots[5].operations_downstream == 320);
}

SCENARIO("byte_transformer is described by formula", "[host_catalogue]") {
  const std::string text = "byte_transformer";
  REQUIRE(host_sizes(text) == std::vector<std::string>{"lm-64", "lm-128"});
  for (const auto& [size, parameters] : std::vector<std::pair<std::string, std::uint64_t>>{
           {"lm-64", 173'888}, {"lm-128", 840'448}}) {
    INFO(size);
    const HostDescription described = describe_host(text, size).value();
    CHECK(described.parameters == parameters);
    std::uint64_t held = 0, operations = 0;
    for (const RegionDescription& region : described.regions) {
      held += region.parameters;
      operations += region.operations;
    }
    CHECK(held == described.parameters);
    CHECK(operations == described.operations);
    CHECK(described.edges.size() == described.regions.size() - 1);
    REQUIRE(described.slots.size() == 3 * described.regions.size());
    for (std::uint32_t i = 0; i < described.slots.size(); ++i) {
      const SlotDescription& slot = described.slots[i];
      CHECK(slot.region.value == i / 3);
      CHECK(slot.layout == Layout::sequence);
      CHECK(slot.kind == SlotKind::point);
      CHECK(slot.height == TransformerShape::context);
      CHECK(slot.operations_downstream < described.operations);
    }
    // A head is a channel of its group, as wide as its rows.
    const CoupledGroup& heads = described.coupled_groups[0];
    CHECK(heads.name == "block0.attention");
    CHECK(heads.channels == 4);
    REQUIRE(heads.dimensions.size() == 4);
    CHECK(heads.dimensions[3].tensor == "block0.attention.out.weight");
    CHECK(heads.dimensions[3].dimension == 1);
    CHECK(heads.dimensions[3].stride == described.slots[0].channels / 4);
  }
  const HostDescription small = describe_host(text, "lm-64").value();
  // Per byte: 163,840 of linear maps, 2 x 64.5 x 64 per block of attention, 7 norms, the scaling.
  CHECK(small.operations == 128 * (163'840 + 3 * 129 * 64 + 7 * 64 + 64));
  CHECK(small.slots[0].operations_downstream == small.operations - 128 * 64);
  CHECK(small.slots[8].operations_downstream == 128 * (64 + 256 * 64));
  CHECK(widths_of(small) == default_widths(text, "lm-64"));
  // Half of the heads and units; attention's operations go with its heads.
  const HostDescription half = describe_host(text, "lm-64", {2, 128, 2, 128, 2, 128}).value();
  CHECK(half.operations == 128 * (16'384 + 3 * (24'576 + 129 * 32) + 7 * 64 + 64));
  CHECK(half.parameters == 99'776);  // 173,888 less 3 x (8,192 + 16,512)
  CHECK(widened(text, "lm-64", 173'888 * 101 / 100).front() == 4);
  CHECK_FALSE(describe_host(text, "tiny").has_value());
  CHECK(default_data_path(text) == "/usr/share/dictd/gcide.dict.dz");
  CHECK(classes_of(text) == 256);
  CHECK(classes_of(host) == 10);
}

SCENARIO("the melt region takes one group of branch slots", "[host_catalogue]") {
  const HostDescription described = describe_host(host, "melt").value();
  const auto branches =
      std::count_if(described.slots.begin(), described.slots.end(), [](const auto& slot) {
        return slot.kind == SlotKind::branch && slot.group == "plain" && slot.region.value == 1;
      });
  CHECK(branches == 12);
}

SCENARIO("unknown hosts and widths describe nothing", "[host_catalogue]") {
  CHECK_FALSE(describe_host("resnet", "tiny").has_value());
  CHECK_FALSE(describe_host(host, "huge").has_value());
  CHECK_FALSE(describe_host(host, "tiny", {8, 16}).has_value());
  CHECK_FALSE(describe_host(host, "tiny", {8, 16, 0, 32}).has_value());
  CHECK(widened(host, "huge", 1'000).empty());
}

SCENARIO("a widened host comes close to the asked count", "[host_catalogue]") {
  for (const std::string& size : host_sizes(host)) {
    const auto usual = default_widths(host, size);
    const std::uint64_t own = count(size, usual);
    CHECK(widened(host, size, own) == usual);
    for (const std::uint64_t percent : {103U, 120U, 150U, 300U}) {
      const std::uint64_t asked = own * percent / 100;
      const auto widths = widened(host, size, asked);
      const std::uint64_t got = count(size, widths);
      INFO(size << " asked " << asked << ", got " << got);
      // One channel of melt is 1/12 of its only width; the others have four to choose from.
      const std::uint64_t tolerance = size == "melt" ? asked / 10 : asked / 100;
      CHECK((got > asked ? got - asked : asked - got) <= tolerance);
    }
  }
}

SCENARIO("a cut of the host's parameters is checked as a whole", "[host_catalogue]") {
  const auto layers = host_layers(host, "tiny");
  HostDescription described = describe_host(host, "tiny").value();
  const HostDescription before = described;

  GIVEN("two regions that share the host out") {
    const auto mistakes = recut(described, layers,
                                {{"front", {"conv0", "norm0", "conv1", "norm1"}},
                                 {"back", {"conv2", "norm2", "conv3", "norm3", "head"}}});
    THEN("they replace the host's own") {
      CHECK(mistakes.empty());
      REQUIRE(described.regions.size() == 2);
      CHECK(described.regions[0].parameters + described.regions[1].parameters == 12'082);
      CHECK(described.regions[0].operations + described.regions[1].operations == before.operations);
      CHECK(described.slots[1].region.value == 0);
      CHECK(described.slots[2].region.value == 1);
      REQUIRE(described.edges.size() == 1);
      CHECK(described.edges[0].to.value == 1);
    }
  }
  GIVEN("an empty list") {
    THEN("the host keeps its own cut") {
      CHECK(recut(described, layers, {}).empty());
      CHECK(described.regions.size() == 3);
    }
  }
  GIVEN("every mistake at once") {
    const auto mistakes =
        recut(described, layers,
              {{"a", {"conv0", "norm", "typo."}}, {"a", {"norm1", "conv1", "conv2"}}, {"c", {}}});
    THEN("each is told with its region, and nothing changes") {
      const auto told = [&](std::size_t region, const std::string& part) {
        return std::any_of(mistakes.begin(), mistakes.end(), [&](const RegionMistake& mistake) {
          return mistake.region == region && mistake.problem.find(part) != std::string::npos;
        });
      };
      CHECK(told(0, "typo."));
      CHECK(told(1, "norm1.weight"));
      CHECK(told(1, "name of an earlier region"));
      CHECK(told(2, "names no parameters"));
      CHECK(told(3, "conv3.weight"));
      CHECK(told(3, "head.bias"));
      CHECK(described.regions.size() == before.regions.size());
    }
  }
  GIVEN("a region that ends before any slot") {
    const auto mistakes =
        recut(described, layers,
              {{"stem", {"conv0", "norm0"}},
               {"rest", {"conv1", "norm1", "conv2", "norm2", "conv3", "norm3", "head"}}});
    THEN("it is refused") {
      REQUIRE(mistakes.size() == 1);
      CHECK(mistakes[0].region == 0);
    }
  }
}

SCENARIO("built-in blueprints are complete", "[blueprint_catalogue]") {
  const auto blueprints = built_in_blueprints();
  std::set<std::string> names;
  std::set<BlueprintKind> kinds;
  for (const Blueprint& blueprint : blueprints) {
    names.insert(blueprint.name);
    kinds.insert(blueprint.kind);
    const bool scaffold = blueprint.blueprint_class == BlueprintClass::scaffold;
    CHECK((blueprint.sunset_exit != SunsetExit::none) == scaffold);
    CHECK((blueprint.sunset_windows > 0) == scaffold);
    // What may fold leaves without a trace from a branch slot, and from nowhere else.
    if (scaffold)
      CHECK(foldable(blueprint.kind, SlotKind::branch) ==
            (blueprint.sunset_exit == SunsetExit::either));
    CHECK_FALSE(foldable(blueprint.kind, SlotKind::point));
    for (const std::uint64_t channels : {1U, 8U, 96U}) {
      CHECK(parameters_of(blueprint, channels) > 0);
      CHECK(operations_of(blueprint, channels, 7, 7) > 0);
    }
  }
  CHECK(names.size() == blueprints.size());
  CHECK(kinds.size() >= 6);
  CHECK(names.contains("normalisation_scaffold"));
  CHECK(names.contains("low_rank_scaffold"));
  CHECK_FALSE(foldable(BlueprintKind::bottleneck, SlotKind::branch));
  CHECK_FALSE(kinds.contains(BlueprintKind::plain_convolution));
}

SCENARIO("base risk follows what was measured", "[base_risk]") {
  constexpr double huge = std::numeric_limits<double>::infinity();
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  CHECK(base_risk({1, 1, 0, false}) == Approx(0.1));
  CHECK(base_risk({0.5, 0.2, 0, false}) == Approx(0.1));
  CHECK(base_risk({1.5, 1, 0, false}) == Approx(0.2));
  CHECK(base_risk({1, 1.5, 0, false}) == Approx(0.2));
  CHECK(base_risk({1, 1, 0.5, false}) == Approx(0.15));
  CHECK(base_risk({1, 1, 7, false}) == Approx(0.2));
  CHECK(base_risk({1, 1, 0, true}) == Approx(0.6));
  CHECK(base_risk({huge, huge, huge, true}) == 1);
  CHECK(base_risk({unknown, unknown, unknown, false}) == Approx(1.0));
}
