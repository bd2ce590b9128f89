#include "actors/decisions/host_catalogue.hpp"

#include <algorithm>
#include <utility>

#include "actors/decisions/host_plan.hpp"

namespace esper {
namespace {

const HostKind* kind_of(const std::string& host) {
  for (const auto* kind : {&fashion_cnn_kind(), &byte_transformer_kind()})
    if (kind->name == host) return kind;
  return nullptr;
}

std::optional<HostPlan> plan_of(const std::string& host, const std::string& size,
                                const Widths& asked) {
  const Widths usual = default_widths(host, size);
  const Widths& widths = asked.empty() ? usual : asked;
  if (usual.empty() || widths.size() != usual.size()) return std::nullopt;
  const HostKind& kind = *kind_of(host);
  if (!kind.layers_leave && std::find(widths.begin(), widths.end(), 0U) != widths.end())
    return std::nullopt;
  return kind.plan(size, widths);
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

std::vector<std::string> host_names() {
  return {std::string{fashion_cnn_kind().name}, std::string{byte_transformer_kind().name}};
}

std::vector<std::string> host_sizes(const std::string& host) {
  const HostKind* kind = kind_of(host);
  return kind == nullptr ? std::vector<std::string>{} : kind->sizes;
}

std::string default_data_path(const std::string& host) {
  const HostKind* kind = kind_of(host);
  return kind == nullptr ? "" : std::string{kind->data_path};
}

std::uint32_t classes_of(const std::string& host) {
  const HostKind* kind = kind_of(host);
  return kind == nullptr ? 0 : kind->classes;
}

std::vector<std::uint32_t> default_widths(const std::string& host, const std::string& size) {
  const HostKind* kind = kind_of(host);
  if (kind == nullptr ||
      std::find(kind->sizes.begin(), kind->sizes.end(), size) == kind->sizes.end())
    return {};
  return kind->default_widths(size);
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
  described.residual_layers = std::move(plan->residual_layers);
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
  const auto widens = kind_of(host)->widens;
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
      if (widens(i))
        scaled[i] = static_cast<std::uint32_t>(
            std::max<std::uint64_t>(1, (usual[i] * scale + thousandths / 2) / thousandths));
    consider(scaled);
  }
  // The proportions are kept but for one channel: every subset of widths one wider.
  const Widths base = best;
  for (std::uint32_t subset = 1; subset < (1U << base.size()); ++subset) {
    Widths more = base;
    for (std::size_t i = 0; i < more.size(); ++i)
      if (widens(i)) more[i] += (subset >> i) & 1U;
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
