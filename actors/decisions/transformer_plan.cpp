// byte_transformer: causal language models over bytes. A sample is a sequence of `context` bytes.
#include <utility>

#include "actors/decisions/host_plan.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

constexpr std::uint64_t context = TransformerShape::context;
constexpr std::uint32_t vocabulary = TransformerShape::vocabulary;

SlotDescription slot_of(std::string name, std::uint32_t channels) {
  SlotDescription slot;
  slot.name = std::move(name);
  slot.channels = channels;
  slot.height = TransformerShape::context;
  slot.width = 1;
  slot.layout = Layout::sequence;
  return slot;
}

void add_norm(HostPlan& plan, const std::string& name, std::uint32_t channels) {
  plan.add(name).parameters = {{name + ".weight", {channels}, context},
                               {name + ".bias", {channels}, 0}};
}

/// The newest layer and the norm before it stand beside the residual stream. Of no width they have
/// left: their parameters keep their names and have no entry.
void stand_beside_stream(HostPlan& plan, std::string kind, std::uint32_t width) {
  ResidualLayer residual{plan.layers.back().name, std::move(kind), {}, {}, width == 0};
  for (std::size_t i = plan.layers.size() - 2; i < plan.layers.size(); ++i)
    for (HostLayer::Parameter& parameter : plan.layers[i].parameters) {
      residual.tensors.push_back(parameter.name);
      if (residual.removed) parameter.shape.assign(parameter.shape.size(), 0);
    }
  plan.residual_layers.push_back(std::move(residual));
}

/// Each column of `out` reads one channel of a head. What makes that channel besides the
/// projections is charged to it: context (context + 1) / 2 pairs of positions that may see each
/// other, scored once (Q K^T) and mixed once (A V).
void add_attention(HostPlan& plan, const std::string& block, std::uint32_t heads,
                   const TransformerShape& shape) {
  const std::string name = block + "attention";
  add_norm(plan, name + "_norm", shape.channels);
  const std::uint32_t inner = heads * shape.head_channels;
  constexpr std::uint64_t pairs_twice = context * (context + 1);
  if (pairs_twice % shape.channels != 0)
    throw InvariantViolation("attention's operations are no whole number per weight");
  CoupledGroup group{name, {}, heads, {}, {}};
  HostLayer& layer = plan.add(name);
  for (const char* projection : {".query", ".key", ".value"}) {
    const std::string weight = name + projection + ".weight";
    layer.parameters.push_back({weight, {inner, shape.channels}, context});
    group.dimensions.push_back({weight, 0, shape.head_channels});
  }
  layer.parameters.push_back(
      {name + ".out.weight", {shape.channels, inner}, context + pairs_twice / shape.channels});
  group.dimensions.push_back({name + ".out.weight", 1, shape.head_channels});
  plan.coupled_groups.push_back(std::move(group));
  stand_beside_stream(plan, "attention", heads);
}

void add_feed_forward(HostPlan& plan, const std::string& block, std::uint32_t units,
                      std::uint32_t channels) {
  const std::string name = block + "feed_forward";
  add_norm(plan, name + "_norm", channels);
  plan.add(name).parameters = {{name + ".up.weight", {units, channels}, context},
                               {name + ".up.bias", {units}, 0},
                               {name + ".down.weight", {channels, units}, context},
                               {name + ".down.bias", {channels}, 0}};
  plan.coupled_groups.push_back(
      {name,
       {},
       units,
       {{name + ".up.weight", 0, 1}, {name + ".up.bias", 0, 1}, {name + ".down.weight", 1, 1}},
       {}});
  stand_beside_stream(plan, "feed_forward", units);
}

/// Embeddings of bytes and positions; blocks of attention and feed-forward, each behind a norm and
/// beside the residual stream, with a slot on the stream before, between and after; a last norm,
/// and a head whose weights are the bytes' embeddings, so that its operations are charged to that
/// norm.
HostPlan plan_by_size(const std::string& size, const Widths& widths) {
  const TransformerShape shape = transformer_shape(size).value();
  const std::uint32_t channels = shape.channels;
  HostPlan plan;
  plan.add("embedding").parameters = {{"embedding.weight", {vocabulary, channels}, 0}};
  plan.add("positions").parameters = {
      {"positions.weight", {TransformerShape::context, channels}, 1}};  // the stream's scaling
  for (std::size_t i = 0; 2 * i < widths.size(); ++i) {
    const std::string block = "block" + std::to_string(i) + ".";
    const auto add_slot = [&](const char* place) {
      plan.layers.back().points_after.push_back(plan.add_slot(slot_of(block + place, channels)));
    };
    plan.add(block + "input");  // a layer without parameters belongs to the region behind it
    add_slot("input");
    add_attention(plan, block, widths[2 * i], shape);
    add_slot("middle");
    add_feed_forward(plan, block, widths[2 * i + 1], channels);
    add_slot("output");
    plan.regions.push_back({"block" + std::to_string(i), {block}});
  }
  plan.add("norm").parameters = {{"norm.weight", {channels}, context * (1 + vocabulary)},
                                 {"norm.bias", {channels}, 0}};
  auto& first = plan.regions.front().parameters;
  first.insert(first.begin(), {"embedding.", "positions."});
  plan.regions.back().parameters.emplace_back("norm.");
  return plan;
}

/// Heads and feed-forward units of each block in turn.
Widths widths_by_size(const std::string& size) {
  const TransformerShape shape = transformer_shape(size).value();
  Widths widths;
  for (std::uint32_t block = 0; block < shape.blocks; ++block) {
    widths.push_back(shape.channels / shape.head_channels);
    widths.push_back(4 * shape.channels);
  }
  return widths;
}

}  // namespace

std::optional<TransformerShape> transformer_shape(const std::string& size) {
  if (size == "lm-64") return TransformerShape{.blocks = 3, .channels = 64, .head_channels = 16};
  if (size == "lm-128") return TransformerShape{.blocks = 4, .channels = 128, .head_channels = 32};
  return std::nullopt;
}

const HostKind& byte_transformer_kind() {
  static const HostKind kind{
      .name = "byte_transformer",
      .sizes = {"lm-64", "lm-128"},
      .classes = vocabulary,
      .data_path = "/usr/share/dictd/gcide.dict.dz",
      .layers_leave = true,
      .default_widths = widths_by_size,
      .plan = plan_by_size,
      // A head is a tenth of its block: only units are small enough to meet a count.
      .widens = [](std::size_t index) { return index % 2 == 1; }};
  return kind;
}

}  // namespace esper
