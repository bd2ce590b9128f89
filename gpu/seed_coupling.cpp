#include "gpu/seed_coupling.hpp"

#include "actors/decisions/blueprint_catalogue.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

struct Place {
  std::string tensor;
  std::int64_t dimension;
};

void add_norm(std::vector<Place>& places, const std::string& norm) {
  for (const char* tensor : {".weight", ".bias", ".running_mean", ".running_var"})
    places.push_back({norm + tensor, 0});
}

/// By the names that gpu/blueprint_modules gives the layers.
std::vector<Place> places_of(const Blueprint& blueprint) {
  std::vector<Place> places;
  switch (blueprint.kind) {
    case BlueprintKind::normalisation:
      add_norm(places, "norm0");
      return places;
    case BlueprintKind::squeeze_excitation:
      return {{"squeeze.weight", 1}, {"excite.weight", 0}, {"excite.bias", 0}};
    case BlueprintKind::depthwise_separable:
      places = {{"convolution0.weight", 0}, {"convolution3.weight", 0}, {"convolution3.weight", 1}};
      add_norm(places, "norm1");
      add_norm(places, "norm4");
      return places;
    case BlueprintKind::bottleneck:
      places = {{"convolution0.weight", 1}, {"convolution6.weight", 0}};
      add_norm(places, "norm7");
      return places;
    case BlueprintKind::low_rank:
      return {{"convolution0.weight", 1}, {"convolution1.weight", 0}};
    case BlueprintKind::spatial_depthwise:
      places = {{"convolution0.weight", 0}};
      add_norm(places, "norm1");
      return places;
    case BlueprintKind::plain_convolution:
      return {{"convolution0.weight", 0}, {"convolution0.weight", 1}, {"convolution0.bias", 0}};
    default:
      break;
  }
  throw InvariantViolation("blueprint " + blueprint.name + " has an unknown kind");
}

}  // namespace

std::optional<std::vector<SeedDimension>> seed_coupling(const Blueprint& blueprint,
                                                        const SeedModule& module) {
  if (layout_of(blueprint.kind) == Layout::sequence) return std::nullopt;
  const auto parameters = module.named_parameters();
  const auto buffers = module.named_buffers();
  const std::string prefix = blueprint.dropout > 0 ? "inner." : "";
  std::vector<SeedDimension> coupling;
  for (const Place& place : places_of(blueprint)) {
    const auto* tensor = parameters.find(prefix + place.tensor);
    if (tensor == nullptr) tensor = buffers.find(prefix + place.tensor);
    if (tensor == nullptr) return std::nullopt;
    coupling.push_back({*tensor, place.dimension});
  }
  return coupling;
}

std::uint64_t seed_operations(const Blueprint& blueprint, const SeedModule& module,
                              const SlotDescription& slot) {
  const std::uint64_t positions = std::uint64_t{slot.height} * slot.width;
  const bool pooled = blueprint.kind == BlueprintKind::squeeze_excitation;
  std::uint64_t operations = pooled ? slot.channels * positions : 0;
  for (const auto& parameter : module.named_parameters())
    if (parameter.key().ends_with("weight"))
      operations +=
          static_cast<std::uint64_t>(parameter.value().numel()) * (pooled ? 1 : positions);
  if (blueprint.kind == BlueprintKind::attention_head)
    operations += reduced_channels(blueprint, slot.channels) * positions * (positions + 1);
  return operations;
}

}  // namespace esper
