#include "actors/decisions/blueprint_catalogue.hpp"

#include <algorithm>

namespace esper {

namespace {

Blueprint design(std::string name, BlueprintKind kind, std::uint32_t kernel,
                 std::uint32_t reduction) {
  return {.name = std::move(name),
          .kind = kind,
          .blueprint_class = BlueprintClass::growth,
          .kernel = kernel,
          .reduction = reduction,
          .dropout = 0,
          .learning_rate_scale = 1,
          .birth = Birth::random};
}

}  // namespace

std::vector<Blueprint> built_in_blueprints() {
  return {design("normalisation", BlueprintKind::normalisation, 0, 0),
          design("squeeze_excitation", BlueprintKind::squeeze_excitation, 0, 4),
          design("depthwise_separable", BlueprintKind::depthwise_separable, 3, 0),
          design("bottleneck", BlueprintKind::bottleneck, 3, 2),
          design("low_rank", BlueprintKind::low_rank, 0, 4),
          design("spatial_depthwise", BlueprintKind::spatial_depthwise, 5, 0)};
}

std::uint32_t reduced_channels(const Blueprint& blueprint, std::uint32_t channels) {
  return std::max(1u, channels / std::max(1u, blueprint.reduction));
}

std::uint64_t parameters_of(const Blueprint& blueprint, std::uint32_t channels) {
  const std::uint64_t c = channels, r = reduced_channels(blueprint, channels),
                      taps = std::uint64_t{blueprint.kernel} * blueprint.kernel;
  switch (blueprint.kind) {
    case BlueprintKind::normalisation: return 2 * c;
    case BlueprintKind::squeeze_excitation: return (c * r + r) + (r * c + c);
    case BlueprintKind::depthwise_separable: return taps * c + c * c + 4 * c;
    case BlueprintKind::bottleneck: return c * r + taps * r * r + r * c + 4 * r + 2 * c;
    case BlueprintKind::low_rank: return 2 * c * r + 2 * c;
    case BlueprintKind::spatial_depthwise: return taps * c + 2 * c;
    case BlueprintKind::plain_convolution: return taps * c * c + c;
  }
  return 0;
}

std::uint64_t operations_of(const Blueprint& blueprint, std::uint32_t channels,
                            std::uint32_t height, std::uint32_t width) {
  const std::uint64_t c = channels, r = reduced_channels(blueprint, channels),
                      taps = std::uint64_t{blueprint.kernel} * blueprint.kernel,
                      pixels = std::uint64_t{height} * width;
  switch (blueprint.kind) {
    case BlueprintKind::normalisation: return 2 * c * pixels;
    case BlueprintKind::squeeze_excitation: return 2 * c * r + 2 * c * pixels;
    case BlueprintKind::depthwise_separable: return (taps * c + c * c + 4 * c) * pixels;
    case BlueprintKind::bottleneck:
      return (2 * c * r + taps * r * r + 4 * r + 2 * c) * pixels;
    case BlueprintKind::low_rank: return (2 * c * r + 2 * c) * pixels;
    case BlueprintKind::spatial_depthwise: return (taps * c + 2 * c) * pixels;
    case BlueprintKind::plain_convolution: return taps * c * c * pixels;
  }
  return 0;
}

}  // namespace esper
