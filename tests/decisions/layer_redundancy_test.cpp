#include "actors/decisions/layer_redundancy.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "actors/decisions/host_catalogue.hpp"
#include "actors/decisions/host_surgery.hpp"

namespace esper {
namespace {

using Names = std::vector<std::string>;

HostDescription described(const std::vector<std::uint32_t>& widths = {}) {
  return describe_host("byte_transformer", "lm-64", widths).value();
}

/// One number of each for every layer that stands, in the flow's order.
std::vector<LayerImportance> measured(const HostDescription& host,
                                      const std::vector<double>& importance,
                                      const std::vector<double>& similarity) {
  std::vector<LayerImportance> all;
  for (const ResidualLayer& layer : host.residual_layers)
    if (!layer.removed)
      all.push_back({layer.name, importance.at(all.size()), similarity.at(all.size()), false});
  return all;
}

Names names(const std::vector<RedundantLayer>& redundant) {
  Names all;
  for (const RedundantLayer& one : redundant) all.push_back(one.layer);
  return all;
}

CompactionConfig config(double similarity_min, double importance_max) {
  CompactionConfig made;
  made.layer_similarity_min = similarity_min;
  made.layer_importance_max = importance_max;
  return made;
}

SCENARIO("a layer is redundant that changes little and matters little among its kind",
         "[layer_redundancy]") {
  const HostDescription host = described();
  REQUIRE(host.residual_layers.size() == 6);
  CHECK(host.residual_layers[2].name == "block1.attention");
  CHECK(host.residual_layers[2].kind == "attention");
  CHECK(host.residual_layers[2].region == RegionId{1});
  CHECK(host.residual_layers[3].tensors ==
        Names{"block1.feed_forward_norm.weight", "block1.feed_forward_norm.bias",
              "block1.feed_forward.up.weight", "block1.feed_forward.up.bias",
              "block1.feed_forward.down.weight", "block1.feed_forward.down.bias"});
  // Attention's mean is 1, that of feed-forward 2: the last layer has half of its kind's mean.
  const std::vector<double> importance{0.1, 3, 0.3, 2, 2.6, 1};
  auto all = measured(host, importance, {0.99, 0.7, 0.995, 0.999, 0.999, 0.999});
  CHECK(names(redundant_layers(host, all, config(0.98, 0.2))) == Names{"block0.attention"});
  CHECK(names(redundant_layers(host, all, config(0.98, 0.4))) ==
        Names{"block0.attention", "block1.attention"});
  CHECK(names(redundant_layers(host, all, config(0.98, 0.6))) ==
        Names{"block0.attention", "block1.attention", "block2.feed_forward"});
  CHECK(names(redundant_layers(host, all, config(0.99, 0.6))) ==
        Names{"block1.attention", "block2.feed_forward"});
  const auto found = redundant_layers(host, all, config(0.98, 0.2));
  CHECK(found.front().importance == Approx(0.1));
  CHECK(found.front().lost == Approx(0.1 / 3));
  THEN("both bounds are exclusive") {
    CHECK(redundant_layers(host, all, config(1, 1)).empty());
    CHECK(redundant_layers(host, all, config(-1, 0)).empty());
    all[0].importance = 0;
    CHECK(redundant_layers(host, all, config(-1, 0)).empty());
  }
  THEN("what was measured inside a zone neither goes nor counts in a mean") {
    all[0].diagnostics_only = true;
    CHECK(redundant_layers(host, all, config(0.98, 0.2)).empty());
    CHECK(names(redundant_layers(host, all, config(0.98, 0.21))) == Names{"block1.attention"});
  }
  THEN("of equals the one that changes the stream least goes first") {
    for (LayerImportance& one : all) one.importance = one.layer.ends_with("forward") ? 5 : 0.1;
    all[4].importance = 9;
    CHECK(names(redundant_layers(host, all, config(0.98, 0.2))) ==
          Names{"block1.attention", "block0.attention"});
  }
  THEN("a kind without any importance is not known") {
    for (LayerImportance& one : all) one.importance = 0;
    CHECK(redundant_layers(host, all, config(-1, 1)).empty());
  }
  THEN("a region's last layer stays") {
    const HostDescription left = described({4, 0, 4, 256, 4, 256});
    const auto rest = measured(left, {0.1, 0.3, 2, 2.6, 1}, {0.99, 0.995, 0.9, 0.9, 0.9});
    CHECK(names(redundant_layers(left, rest, config(0.98, 1))) == Names{"block1.attention"});
  }
}

SCENARIO("whatever is measured, only what may leave is redundant", "[layer_redundancy]") {
  CHECK(rc::check("the rule, judged anew", [] {
    std::vector<std::uint32_t> widths;
    for (int i = 0; i < 6; ++i)
      widths.push_back(*rc::gen::inRange(0, 4) == 0 ? 0 : *rc::gen::inRange(1U, 5U));
    const HostDescription host = described(widths);
    std::vector<double> importance, similarity;
    for (int i = 0; i < 6; ++i) {
      importance.push_back(*rc::gen::inRange(0, 100) / 10.0);
      similarity.push_back(*rc::gen::inRange(-100, 101) / 100.0);
    }
    auto all = measured(host, importance, similarity);
    for (LayerImportance& one : all) one.diagnostics_only = *rc::gen::inRange(0, 5) == 0;
    const auto chosen =
        config(*rc::gen::inRange(-100, 101) / 100.0, *rc::gen::inRange(0, 11) / 10.0);
    const auto redundant = redundant_layers(host, all, chosen);
    std::map<std::string, std::pair<double, double>> kinds;  // sum and count
    const auto layer_of = [&](const std::string& name) { return *residual_layer(host, name); };
    for (const LayerImportance& one : all) {
      if (one.diagnostics_only) continue;
      auto& [sum, count] = kinds[layer_of(one.layer).kind];
      sum += one.importance;
      count += 1;
    }
    double before = 0;
    for (const RedundantLayer& one : redundant) {
      RC_ASSERT(one.importance >= before);
      before = one.importance;
    }
    for (const LayerImportance& one : all) {
      const ResidualLayer layer = layer_of(one.layer);
      const auto [sum, count] = kinds[layer.kind];
      std::size_t standing = 0;
      for (const ResidualLayer& other : host.residual_layers)
        standing += other.region == layer.region && !other.removed ? 1 : 0;
      const bool may_leave = !one.diagnostics_only && standing > 1 && sum > 0 &&
                             one.similarity > chosen.layer_similarity_min &&
                             one.importance * count / sum < chosen.layer_importance_max;
      const Names listed = names(redundant);
      RC_ASSERT((std::count(listed.begin(), listed.end(), one.layer) == 1) == may_leave);
    }
  }));
}

SCENARIO("a host that lost a layer is described as one that never had it", "[host_surgery]") {
  const HostDescription host = described();
  for (std::size_t i = 0; i < 6; ++i) {
    const std::string& name = host.residual_layers[i].name;
    INFO(name);
    const auto after = after_cuts(host, {}, {name});
    REQUIRE(after);
    std::vector<std::uint32_t> widths{4, 256, 4, 256, 4, 256};
    widths[i] = 0;
    const HostDescription fresh = described(widths);
    CHECK(after.value().parameters == fresh.parameters);
    CHECK(after.value().operations == fresh.operations);
    // Attention: 4 x 64 x 64 and a norm; feed-forward: 2 x 64 x 256, biases and a norm.
    CHECK(host.parameters - fresh.parameters == (i % 2 == 0 ? 16'384U + 128 : 32'768U + 320 + 128));
    CHECK(widths_of(after.value()) == widths);
    for (std::size_t slot = 0; slot < host.slots.size(); ++slot)
      CHECK(after.value().slots[slot].operations_downstream ==
            fresh.slots[slot].operations_downstream);
    CHECK_FALSE(after_cuts(after.value(), {}, {name}));
    CHECK_FALSE(after_cuts(after.value(), {{name, {0}}}));
    CHECK_FALSE(after_cuts(host, {{name, {0}}}, {name}));
    CHECK_FALSE(after_cuts(host, {}, {name, name}));
    CHECK(after_cuts(host, {{host.residual_layers[(i + 1) % 6].name, {0, 1}}}, {name}));
  }
  CHECK_FALSE(after_cuts(host, {}, {"block3.attention"}));
  HostDescription leaking = host;  // a channel of it is read elsewhere, too
  leaking.coupled_groups[0].dimensions.push_back({"norm.weight", 0, 16});
  CHECK_FALSE(after_cuts(leaking, {}, {"block0.attention"}));
  CHECK(regions_touched(host, host.residual_layers[2]) == std::vector<RegionId>{{1}});
  CHECK(operations_behind(host, host.residual_layers[0]) == host.operations - 128 * 64);
}

}  // namespace
}  // namespace esper
