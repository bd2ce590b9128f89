// fashion_cnn: small convolutional networks for images of 28 x 28 pixels in 10 classes.
#include <array>
#include <utility>

#include "actors/decisions/fashion_shape.hpp"
#include "actors/decisions/host_plan.hpp"

namespace esper {
namespace {

constexpr std::uint64_t image_pixels = 28;
constexpr std::uint32_t classes = 10;
constexpr std::uint32_t kernel = 3;  // every convolution is 3 x 3
constexpr std::size_t plain_convolutions = 12;

SlotDescription slot_of(std::string name, SlotKind kind, std::string group, std::uint32_t channels,
                        std::uint64_t side) {
  const auto pixels = static_cast<std::uint32_t>(side);
  return {std::move(name), {}, kind, std::move(group), channels, pixels, pixels, 0, {}};
}

void add_head(HostPlan& plan, std::uint32_t channels) {
  plan.add("head").parameters = {{"head.weight", {classes, channels}, 1},
                                 {"head.bias", {classes}, 0}};
}

HostLayer::Parameter convolution(const std::string& layer, std::uint32_t outputs,
                                 std::uint32_t inputs, std::uint64_t side) {
  return {layer + ".weight", {outputs, inputs, kernel, kernel}, side * side};
}

/// Convolution, batch norm, ReLU for each width; pool; linear head. The first two convolutions are
/// one region, each further one is its own.
HostPlan normed_plan(const Widths& widths) {
  constexpr std::array<std::string_view, fashion_strides.size()> slots_after{"", "early", "middle",
                                                                             "late", "last"};
  HostPlan plan;
  std::uint64_t side = image_pixels;
  std::uint32_t channels = 1;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string number = std::to_string(i);
    const std::string conv = "conv" + number;
    const std::string norm = "norm" + number;
    const std::string next = i + 1 < widths.size() ? "conv" + std::to_string(i + 1) : "head";
    const std::uint32_t width = widths[i];
    side /= fashion_strides.at(i);
    plan.add(conv).parameters = {convolution(conv, width, channels, side)};
    HostLayer& layer = plan.add(norm);
    layer.parameters = {{norm + ".weight", {width}, side * side}, {norm + ".bias", {width}, 0}};
    if (!slots_after[i].empty())
      for (const char* suffix : {".a", ".b"})
        layer.points_after.push_back(plan.add_slot(
            slot_of(std::string{slots_after[i]} + suffix, SlotKind::point, "", widths[i], side)));
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
    // The first has no slots: it stands in the second's region.
    const std::size_t seen_by = std::max<std::size_t>(i, 1);
    if (i != 1) plan.regions.push_back({std::string{slots_after.at(seen_by)}, {}});
    auto& parts = plan.regions.back().parameters;
    parts.insert(parts.end(), {conv + ".", norm + "."});
  }
  add_head(plan, channels);
  plan.regions.back().parameters.push_back("head.");
  return plan;
}

/// A stem and twelve convolutions without norms, each with a branch slot; pool; linear head. What
/// stands in a branch slot reads and makes the same channels, so that all convolutions go together.
HostPlan plain_plan(std::uint32_t width) {
  HostPlan plan;
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
      plan.add_slot(slot_of("stem.a", SlotKind::point, "", width, side)));
  for (std::size_t i = 0; i < plain_convolutions; ++i) {
    const bool last = i + 1 == plain_convolutions;
    const std::string number = std::to_string(i);
    HostLayer& layer = add_convolution("plain" + number, width);
    layer.branch =
        plan.add_slot(slot_of("plain." + number, SlotKind::branch, "plain", width, side));
    if (last)
      layer.points_after.push_back(
          plan.add_slot(slot_of("plain.a", SlotKind::point, "", width, side)));
  }
  // After pooling, so that this region, too, can be seen and grown.
  HostLayer& pool = plan.add("pool");
  pool.points_after.push_back(plan.add_slot(slot_of("head.a", SlotKind::point, "", width, 1)));
  add_head(plan, width);
  group.dimensions.push_back({"head.weight", 1, 1});
  for (std::uint32_t slot = 0; slot < plan.slots.size(); ++slot) group.slots.push_back({slot});
  plan.coupled_groups.push_back(std::move(group));
  plan.regions = {{"stem", {"stem."}}, {"plain", {"plain"}}, {"head", {"head."}}};
  return plan;
}

Widths widths_by_size(const std::string& size) {
  if (size == "base") return {24, 48, 64, 96};
  if (size == "deep") return {8, 16, 24, 32, 32};
  return size == "melt" ? Widths{12} : Widths{8, 16, 24, 32};
}

HostPlan plan_by_size(const std::string& size, const Widths& widths) {
  return size == "melt" ? plain_plan(widths.front()) : normed_plan(widths);
}

}  // namespace

const HostKind& fashion_cnn_kind() {
  static const HostKind kind{.name = "fashion_cnn",
                             .sizes = {"tiny", "base", "deep", "melt"},
                             .classes = classes,
                             .data_path = "/usr/share/datasets/fashion-mnist",
                             .default_widths = widths_by_size,
                             .plan = plan_by_size,
                             .widens = [](std::size_t) { return true; }};
  return kind;
}

}  // namespace esper
