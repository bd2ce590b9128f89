#include "actors/decisions/blueprint_catalogue.hpp"

#include <algorithm>

namespace esper {
namespace {

/// On the graph without success: four cycles of the default length.
constexpr std::uint32_t scaffold_windows = 24;

}  // namespace

std::vector<Blueprint> built_in_blueprints() {
  const auto growth = [](const char* name, BlueprintKind kind, std::uint32_t kernel,
                         std::uint32_t reduction, Birth birth) {
    Blueprint blueprint;
    blueprint.name = name;
    blueprint.kind = kind;
    blueprint.blueprint_class = BlueprintClass::growth;
    blueprint.kernel = kernel;
    blueprint.reduction = reduction;
    blueprint.birth = birth;
    return blueprint;
  };
  const auto scaffold = [&](const char* name, BlueprintKind kind, std::uint32_t reduction) {
    Blueprint blueprint = growth(name, kind, 0, reduction, Birth::random);
    blueprint.blueprint_class = BlueprintClass::scaffold;
    blueprint.sunset_exit = SunsetExit::either;
    blueprint.sunset_windows = scaffold_windows;
    return blueprint;
  };
  // No host of sequences has a linear map beside which one could fold.
  const auto weaned = [](Blueprint blueprint) {
    blueprint.sunset_exit = SunsetExit::wean;
    return blueprint;
  };
  // A plain rescaling has nothing to break symmetry for, so it is born at zero; convolutions grew
  // to more when born at random and isolated for a short while.
  return {
      growth("normalisation", BlueprintKind::normalisation, 0, 0, Birth::zero),
      growth("squeeze_excitation", BlueprintKind::squeeze_excitation, 0, 4, Birth::random),
      growth("depthwise_separable", BlueprintKind::depthwise_separable, 3, 0, Birth::random),
      growth("bottleneck", BlueprintKind::bottleneck, 3, 2, Birth::random),
      growth("low_rank", BlueprintKind::low_rank, 0, 4, Birth::random),
      growth("spatial_depthwise", BlueprintKind::spatial_depthwise, 5, 0, Birth::random),
      scaffold("normalisation_scaffold", BlueprintKind::normalisation, 0),
      scaffold("low_rank_scaffold", BlueprintKind::low_rank, 4),
      growth("layer_normalisation", BlueprintKind::layer_normalisation, 0, 0, Birth::zero),
      growth("causal_depthwise", BlueprintKind::causal_depthwise, 4, 0, Birth::random),
      growth("low_rank_adapter", BlueprintKind::low_rank_adapter, 0, 4, Birth::random),
      growth("feed_forward_adapter", BlueprintKind::feed_forward_adapter, 0, 4, Birth::random),
      growth("attention_head", BlueprintKind::attention_head, 0, 4, Birth::random),
      weaned(scaffold("low_rank_adapter_scaffold", BlueprintKind::low_rank_adapter, 4)),
  };
}

bool has_kernel(BlueprintKind kind) {
  return kind == BlueprintKind::depthwise_separable || kind == BlueprintKind::bottleneck ||
         kind == BlueprintKind::spatial_depthwise || kind == BlueprintKind::plain_convolution ||
         kind == BlueprintKind::causal_depthwise;
}

bool has_reduction(BlueprintKind kind) {
  return kind == BlueprintKind::squeeze_excitation || kind == BlueprintKind::bottleneck ||
         kind == BlueprintKind::low_rank || kind == BlueprintKind::low_rank_adapter ||
         kind == BlueprintKind::feed_forward_adapter || kind == BlueprintKind::attention_head;
}

std::uint64_t reduced_channels(const Blueprint& blueprint, std::uint64_t channels) {
  return blueprint.reduction == 0 ? channels
                                  : std::max<std::uint64_t>(1, channels / blueprint.reduction);
}

std::uint64_t parameters_of(const Blueprint& blueprint, std::uint64_t channels) {
  const std::uint64_t reduced = reduced_channels(blueprint, channels);
  const std::uint64_t area = std::uint64_t{blueprint.kernel} * blueprint.kernel;
  const std::uint64_t norm = 2 * channels;
  switch (blueprint.kind) {
    case BlueprintKind::normalisation:
      return norm;
    case BlueprintKind::squeeze_excitation:
      return 2 * channels * reduced + reduced + channels;
    case BlueprintKind::depthwise_separable:
      return area * channels + channels * channels + 2 * norm;
    case BlueprintKind::bottleneck:
      return 2 * channels * reduced + area * reduced * reduced + 4 * reduced + norm;
    case BlueprintKind::low_rank:
      return 2 * channels * reduced;
    case BlueprintKind::spatial_depthwise:
      return area * channels + norm;
    case BlueprintKind::plain_convolution:
      return area * channels * channels + channels;
    case BlueprintKind::layer_normalisation:
      return norm;
    case BlueprintKind::causal_depthwise:
      return blueprint.kernel * channels + norm;
    case BlueprintKind::low_rank_adapter:
      return 2 * channels * reduced;
    case BlueprintKind::feed_forward_adapter:
      return 2 * channels * reduced + reduced + channels + norm;
    case BlueprintKind::attention_head:
      return 4 * channels * reduced + norm;
  }
  return 0;
}

std::uint64_t operations_of(const Blueprint& blueprint, std::uint64_t channels,
                            std::uint64_t height, std::uint64_t width) {
  const std::uint64_t reduced = reduced_channels(blueprint, channels);
  const std::uint64_t area = std::uint64_t{blueprint.kernel} * blueprint.kernel;
  const std::uint64_t positions = height * width;
  switch (blueprint.kind) {
    case BlueprintKind::normalisation:
      return channels * positions;
    case BlueprintKind::squeeze_excitation:
      return 2 * channels * reduced + channels * positions;
    case BlueprintKind::depthwise_separable:
      return (area * channels + channels * channels + 2 * channels) * positions;
    case BlueprintKind::bottleneck:
      return (2 * channels * reduced + area * reduced * reduced + 2 * reduced + channels) *
             positions;
    case BlueprintKind::low_rank:
      return 2 * channels * reduced * positions;
    case BlueprintKind::spatial_depthwise:
      return (area * channels + channels) * positions;
    case BlueprintKind::plain_convolution:
      return area * channels * channels * positions;
    case BlueprintKind::layer_normalisation:
      return channels * positions;
    case BlueprintKind::causal_depthwise:
      return (blueprint.kernel + 1) * channels * positions;
    case BlueprintKind::low_rank_adapter:
      return 2 * channels * reduced * positions;
    case BlueprintKind::feed_forward_adapter:
      return (2 * channels * reduced + channels) * positions;
    case BlueprintKind::attention_head:  // scores and mixture, over pairs that may see each other
      return (4 * channels * reduced + channels + (positions + 1) * reduced) * positions;
  }
  return 0;
}

}  // namespace esper
