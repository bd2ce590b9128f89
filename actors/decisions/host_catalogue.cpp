#include "actors/decisions/host_catalogue.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace esper {
namespace {

using Widths = std::vector<std::uint32_t>;

constexpr std::uint64_t image_pixels = 28;
constexpr std::uint32_t classes = 10;
constexpr std::uint32_t kernel = 3;  // every convolution is 3 x 3
constexpr std::size_t plain_convolutions = 12;

struct Size {
  std::string_view name;
  Widths widths;
};

const std::vector<Size>& fashion_sizes() {
  static const std::vector<Size> sizes{
      {"tiny", {8, 16, 24, 32}}, {"base", {24, 48, 64, 96}}, {"melt", {12}}};
  return sizes;
}

/// A host before it is cut: its layers, slots and the cut that it comes with.
struct Plan {
  std::vector<HostLayer> layers;
  std::vector<SlotDescription> slots;
  std::vector<CoupledGroup> coupled_groups;
  std::vector<RegionConfig> regions;

  HostLayer& add(std::string name) {
    layers.push_back({std::move(name), {}, {}, {}});
    return layers.back();
  }
  SlotId add_slot(std::string name, SlotKind kind, std::string group, std::uint32_t channels,
                  std::uint64_t side) {
    const auto pixels = static_cast<std::uint32_t>(side);
    slots.push_back({std::move(name), {}, kind, std::move(group), channels, pixels, pixels, 0, {}});
    return {static_cast<std::uint32_t>(slots.size() - 1)};
  }
};

void add_head(Plan& plan, std::uint32_t channels) {
  plan.add("head").parameters = {{"head.weight", {classes, channels}, 1},
                                 {"head.bias", {classes}, 0}};
}

HostLayer::Parameter convolution(const std::string& layer, std::uint32_t outputs,
                                 std::uint32_t inputs, std::uint64_t side) {
  return {layer + ".weight", {outputs, inputs, kernel, kernel}, side * side};
}

/// Convolution, batch norm, ReLU, four times; pool; linear head.
Plan normed_plan(const Widths& widths) {
  constexpr std::array<std::uint64_t, 4> strides{2, 1, 2, 1};
  constexpr std::array<std::string_view, 4> slots_after{"", "early", "middle", "late"};
  Plan plan;
  std::uint64_t side = image_pixels;
  std::uint32_t channels = 1;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    const std::string number = std::to_string(i);
    const std::string conv = "conv" + number;
    const std::string norm = "norm" + number;
    const std::string next = i + 1 < strides.size() ? "conv" + std::to_string(i + 1) : "head";
    const std::uint32_t width = widths[i];
    side /= strides[i];
    plan.add(conv).parameters = {convolution(conv, width, channels, side)};
    HostLayer& layer = plan.add(norm);
    layer.parameters = {{norm + ".weight", {width}, side * side}, {norm + ".bias", {width}, 0}};
    if (!slots_after[i].empty())
      for (const char* suffix : {".a", ".b"})
        layer.points_after.push_back(plan.add_slot(std::string{slots_after[i]} + suffix,
                                                   SlotKind::point, "", widths[i], side));
    plan.coupled_groups.push_back({conv,
                                   {},
                                   width,
                                   {{conv + ".weight", 0, 1},
                                    {norm + ".weight", 0, 1},
                                    {norm + ".bias", 0, 1},
                                    {norm + ".running_mean", 0, 1},
                                    {norm + ".running_var", 0, 1},
                                    {next + ".weight", 1, 1}},
                                   layer.points_after});
    channels = width;
  }
  add_head(plan, channels);
  plan.regions = {{"early", {"conv0.", "norm0.", "conv1.", "norm1."}},
                  {"middle", {"conv2.", "norm2."}},
                  {"late", {"conv3.", "norm3.", "head."}}};
  return plan;
}

/// A stem and twelve convolutions without norms, each with a branch slot; pool; linear head. What
/// stands in a branch slot reads and makes the same channels, so that all convolutions go together.
Plan plain_plan(std::uint32_t width) {
  Plan plan;
  const std::uint64_t side = image_pixels / 2;
  CoupledGroup group{"plain", {}, width, {}, {}};
  const auto add_convolution = [&](const std::string& name, std::uint32_t inputs) -> HostLayer& {
    group.dimensions.push_back({name + ".weight", 0, 1});
    group.dimensions.push_back({name + ".bias", 0, 1});
    if (inputs == width) group.dimensions.push_back({name + ".weight", 1, 1});
    HostLayer& layer = plan.add(name);
    layer.parameters = {convolution(name, width, inputs, side), {name + ".bias", {width}, 0}};
    return layer;
  };
  add_convolution("stem", 1).points_after.push_back(
      plan.add_slot("stem.a", SlotKind::point, "", width, side));
  for (std::size_t i = 0; i < plain_convolutions; ++i) {
    const bool last = i + 1 == plain_convolutions;
    const std::string number = std::to_string(i);
    HostLayer& layer = add_convolution("plain" + number, width);
    layer.branch = plan.add_slot("plain." + number, SlotKind::branch, "plain", width, side);
    if (last)
      layer.points_after.push_back(plan.add_slot("plain.a", SlotKind::point, "", width, side));
  }
  // After pooling, so that this region, too, can be seen and grown.
  HostLayer& pool = plan.add("pool");
  pool.points_after.push_back(plan.add_slot("head.a", SlotKind::point, "", width, 1));
  add_head(plan, width);
  group.dimensions.push_back({"head.weight", 1, 1});
  for (std::uint32_t slot = 0; slot < plan.slots.size(); ++slot) group.slots.push_back({slot});
  plan.coupled_groups.push_back(std::move(group));
  plan.regions = {{"stem", {"stem."}}, {"plain", {"plain"}}, {"head", {"head."}}};
  return plan;
}

std::optional<Plan> plan_of(const std::string& host, const std::string& size, const Widths& asked) {
  const Widths usual = default_widths(host, size);
  const Widths& widths = asked.empty() ? usual : asked;
  if (usual.empty() || widths.size() != usual.size() ||
      std::find(widths.begin(), widths.end(), 0U) != widths.end())
    return std::nullopt;
  return size == "melt" ? plain_plan(widths.front()) : normed_plan(widths);
}

std::uint64_t parameters_in(const std::vector<HostLayer>& layers) {
  std::uint64_t total = 0;
  for (const HostLayer& layer : layers)
    for (const HostLayer::Parameter& parameter : layer.parameters) total += parameter.count();
  return total;
}

std::uint64_t count_with(const std::string& host, const std::string& size, const Widths& widths) {
  const auto plan = plan_of(host, size, widths);
  return plan ? parameters_in(plan->layers) : 0;
}

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

}  // namespace

std::uint64_t HostLayer::Parameter::count() const {
  std::uint64_t elements = 1;
  for (const std::uint32_t size : shape) elements *= size;
  return elements;
}

std::uint64_t HostLayer::operations() const {
  std::uint64_t sum = 0;
  for (const Parameter& parameter : parameters)
    sum += parameter.count() * parameter.operations_per_element;
  return sum;
}

std::vector<std::string> host_names() { return {"fashion_cnn"}; }

std::vector<std::string> host_sizes(const std::string& host) {
  std::vector<std::string> names;
  if (host == "fashion_cnn")
    for (const Size& size : fashion_sizes()) names.emplace_back(size.name);
  return names;
}

std::vector<std::uint32_t> default_widths(const std::string& host, const std::string& size) {
  if (host == "fashion_cnn")
    for (const Size& known : fashion_sizes())
      if (known.name == size) return known.widths;
  return {};
}

std::vector<HostLayer> host_layers(const std::string& host, const std::string& size,
                                   const std::vector<std::uint32_t>& widths) {
  auto plan = plan_of(host, size, widths);
  return plan ? std::move(plan->layers) : std::vector<HostLayer>{};
}

std::optional<HostDescription> describe_host(const std::string& host, const std::string& size,
                                             const std::vector<std::uint32_t>& widths) {
  auto plan = plan_of(host, size, widths);
  if (!plan) return std::nullopt;
  HostDescription described;
  described.name = host + "/" + size;
  described.slots = std::move(plan->slots);
  described.coupled_groups = std::move(plan->coupled_groups);
  described.parameters = parameters_in(plan->layers);
  for (const HostLayer& layer : plan->layers) {
    described.operations += layer.operations();
    for (const HostLayer::Parameter& parameter : layer.parameters)
      described.tensors.push_back(
          {parameter.name, parameter.shape, parameter.operations_per_element});
  }
  std::uint64_t downstream = described.operations;
  const auto place = [&](SlotId slot, const std::string& layer) {
    described.slots[slot.value].operations_downstream = downstream;
    described.slots[slot.value].layer = layer;
  };
  for (const HostLayer& layer : plan->layers) {
    downstream -= layer.operations();
    if (layer.branch) place(*layer.branch, layer.name);
    for (const SlotId slot : layer.points_after) place(slot, layer.name);
  }
  if (!recut(described, plan->layers, plan->regions).empty())
    throw InvariantViolation("the built-in cut of " + described.name + " is not a cut");
  return described;
}

std::vector<std::uint32_t> widened(const std::string& host, const std::string& size,
                                   std::uint64_t parameters) {
  const Widths usual = default_widths(host, size);
  if (usual.empty()) return {};
  Widths best = usual;
  std::uint64_t nearest = distance(count_with(host, size, usual), parameters);
  const auto consider = [&](const Widths& widths) {
    const std::uint64_t off = distance(count_with(host, size, widths), parameters);
    if (off < nearest) {
      nearest = off;
      best = widths;
    }
    return off;
  };
  constexpr std::uint64_t thousandths = 1'000;
  constexpr std::uint64_t scale_max = 8 * thousandths;
  Widths scaled = usual;
  for (std::uint64_t scale = thousandths / 8; scale <= scale_max; ++scale) {
    for (std::size_t i = 0; i < usual.size(); ++i)
      scaled[i] = static_cast<std::uint32_t>(
          std::max<std::uint64_t>(1, (usual[i] * scale + thousandths / 2) / thousandths));
    consider(scaled);
  }
  // The proportions are kept but for one channel: every subset of widths one wider.
  const Widths base = best;
  for (std::uint32_t subset = 1; subset < (1U << base.size()); ++subset) {
    Widths more = base;
    for (std::size_t i = 0; i < more.size(); ++i) more[i] += (subset >> i) & 1U;
    consider(more);
  }
  return best;
}

std::vector<std::uint32_t> widths_of(const HostDescription& host) {
  std::vector<std::uint32_t> widths;
  for (const CoupledGroup& group : host.coupled_groups) widths.push_back(group.channels);
  return widths;
}

std::vector<std::string> parameter_names(const std::vector<HostLayer>& layers) {
  std::vector<std::string> names;
  for (const HostLayer& layer : layers)
    for (const HostLayer::Parameter& parameter : layer.parameters) names.push_back(parameter.name);
  return names;
}

}  // namespace esper
