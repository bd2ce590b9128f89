#include "gpu/layer_options.hpp"

namespace esper {
namespace {

using torch::nn::BatchNorm2dImpl;
using torch::nn::Conv2dImpl;
using torch::nn::LinearImpl;

/// Calls `use` with the layer as what it is, if it is of a kind that remembers shapes.
template <typename Use>
void as_layer(torch::nn::Module& module, const Use& use) {
  if (auto* convolution = module.as<Conv2dImpl>())
    use(*convolution);
  else if (auto* norm = module.as<BatchNorm2dImpl>())
    use(*norm);
  else if (auto* linear = module.as<LinearImpl>())
    use(*linear);
}

bool depthwise(const Conv2dImpl& convolution) {
  return convolution.options.groups() == convolution.options.in_channels() &&
         convolution.options.groups() == convolution.options.out_channels();
}

void fit(Conv2dImpl& convolution) {
  auto& options = convolution.options;
  const std::int64_t outputs = convolution.weight.size(0);
  if (options.groups() > 1) options.groups(outputs);
  options.in_channels(convolution.weight.size(1) * options.groups()).out_channels(outputs);
}
void fit(BatchNorm2dImpl& norm) {
  if (norm.weight.defined()) norm.options.num_features(norm.weight.size(0));
}
void fit(LinearImpl& linear) {
  linear.options.in_features(linear.weight.size(1)).out_features(linear.weight.size(0));
}

}  // namespace

LayerOptions::LayerOptions(const torch::nn::Module& module) {
  for (const auto& part : module.named_modules("", /*include_self=*/false))
    as_layer(*part.value(),
             [&](const auto& layer) { options_.emplace_back(part.key(), layer.options); });
}

void LayerOptions::put(const torch::nn::Module& module) const {
  const auto parts = module.named_modules("", /*include_self=*/false);
  for (const auto& [name, options] : options_) {
    const auto* part = parts.find(name);
    if (part == nullptr) continue;
    as_layer(**part, [&kept = options](auto& layer) {
      if (const auto* same = std::get_if<std::remove_cvref_t<decltype(layer.options)>>(&kept))
        layer.options = *same;
    });
  }
}

void fit_options(const torch::nn::Module& module) {
  for (const auto& part : module.modules(/*include_self=*/false))
    as_layer(*part, [](auto& layer) { fit(layer); });
}

bool cannot_be_cut(const torch::nn::Module& layer) {
  const auto* convolution = layer.as<Conv2dImpl>();
  return convolution != nullptr && convolution->options.groups() > 1 && !depthwise(*convolution);
}

}  // namespace esper
