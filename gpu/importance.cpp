#include "gpu/importance.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <torch/csrc/autograd/autograd.h>

#include "gpu/vital_signs.hpp"

namespace esper {
namespace {

using torch::Tensor;

/// The parameters of one layer that make channels, and where its gate is.
struct Maker {
  std::string layer;
  std::vector<Tensor> parameters;
};

bool is_norm(const Maker& maker) {
  return std::all_of(maker.parameters.begin(), maker.parameters.end(),
                     [](const Tensor& parameter) { return parameter.dim() == 1; });
}

/// One weight that reads the channels.
struct Reader {
  Tensor weight;
  std::int64_t dimension{};
};

std::vector<Reader> readers_of(const CoupledGroup& group, const torch::nn::Module& module) {
  const auto parameters = module.named_parameters();
  std::vector<Reader> readers;
  for (const CoupledDimension& dimension : group.dimensions)
    if (const auto* found = parameters.find(dimension.tensor);
        found != nullptr && dimension.dimension > 0)
      readers.push_back({*found, dimension.dimension});
  return readers;
}

/// The layers that make a group's channels, in the order of the flow; a norm stands for the layer
/// that it follows.
std::vector<Maker> makers_of(const HostDescription& host, const CoupledGroup& group,
                             const torch::nn::Module& module) {
  const auto parameters = module.named_parameters();
  std::vector<Maker> makers;
  const auto add = [&](const CoupledDimension& dimension) {
    const auto* parameter = parameters.find(dimension.tensor);
    if (dimension.dimension != 0 || parameter == nullptr) return;
    const std::string layer = dimension.tensor.substr(0, dimension.tensor.rfind('.'));
    if (makers.empty() || makers.back().layer != layer) makers.push_back({layer, {}});
    makers.back().parameters.push_back(*parameter);
  };
  for (const TensorDescription& tensor : host.tensors)
    for (const CoupledDimension& dimension : group.dimensions)
      if (dimension.tensor == tensor.name) add(dimension);
  std::vector<Maker> last;
  for (Maker& maker : makers) {
    if (is_norm(maker) && !last.empty() && !is_norm(last.back())) last.pop_back();
    last.push_back(std::move(maker));
  }
  return last;
}

/// One group under measurement. All sums are float64, [channels].
class GroupGauge {
 public:
  GroupGauge(HostModel& host, const CoupledGroup& group)
      : group_(group), makers_(makers_of(host.description(), group, host.module())) {
    for (const SlotId slot : group.slots)
      if (host.description().slots.at(slot.value).kind == SlotKind::point)
        slot_ = &host.slot(slot.value);
    gated_by_slot_ = slot_ != nullptr && makers_.size() <= 1;
    if (slot_ == nullptr && (makers_.empty() || !is_norm(makers_.back())))
      readers_ = readers_of(group, host.module());
    const auto channels = static_cast<std::int64_t>(group.channels);
    squares_ = torch::zeros({channels}, torch::kFloat64);
    energy_ = torch::zeros({channels}, torch::kFloat64);
  }

  /// What the loss is to be differentiated by, of the pass just made.
  void add_targets(std::vector<Tensor>& targets) {
    first_ = targets.size();
    if (slot_ != nullptr) activations_ = slot_->output();
    if (gated_by_slot_) {
      targets.push_back(activations_);
      return;
    }
    if (!readers_.empty()) {
      for (const Reader& reader : readers_) targets.push_back(reader.weight);
      return;
    }
    for (const Maker& maker : makers_)
      targets.insert(targets.end(), maker.parameters.begin(), maker.parameters.end());
  }

  void take(const std::vector<Tensor>& targets, const std::vector<Tensor>& gradients) {
    Tensor gate = torch::zeros_like(squares_);
    const auto add = [&](std::int64_t channel_dimension) {
      if (gradients[first_].defined()) {
        const Tensor product = (targets[first_].detach() * gradients[first_]).to(torch::kFloat64);
        gate += product.transpose(0, channel_dimension)
                    .reshape({static_cast<std::int64_t>(group_.channels), -1})
                    .sum(1);
      }
      ++first_;
    };
    if (gated_by_slot_)
      add(1);
    else if (!readers_.empty())
      for (const Reader& reader : readers_) add(reader.dimension);
    else
      for (const Maker& maker : makers_)
        for (std::size_t i = 0; i < maker.parameters.size(); ++i) add(0);
    squares_ += gate.square();
    if (slot_ == nullptr) return;
    const Tensor squares = activations_.detach().to(torch::kFloat64).square();
    positions_ += squares.numel() / squares.size(1);
    energy_ += squares.transpose(0, 1).flatten(1).sum(1);
    activations_.reset();
  }

  [[nodiscard]] GroupImportance result() const {
    GroupImportance importance;
    importance.group = group_.name;
    const double mean = squares_.mean().item<double>();
    importance.importance = numbers(mean > 0 ? squares_ / mean : squares_);
    importance.activity = numbers(activity());
    return importance;
  }

 private:
  [[nodiscard]] Tensor activity() const {
    if (slot_ != nullptr) return (energy_ / static_cast<double>(positions_)).sqrt();
    if (makers_.empty() || !is_norm(makers_.back())) return torch::zeros_like(energy_);
    Tensor squares = torch::zeros_like(energy_);
    for (const Tensor& parameter : makers_.back().parameters)
      squares += parameter.detach()
                     .to(torch::kFloat64)
                     .square()
                     .reshape({static_cast<std::int64_t>(group_.channels), -1})
                     .sum(1);
    return squares.sqrt();
  }
  static std::vector<double> numbers(const Tensor& values) {
    const auto* first = values.const_data_ptr<double>();
    return {first, first + values.numel()};
  }

  const CoupledGroup& group_;
  std::vector<Maker> makers_;
  std::vector<Reader> readers_;  ///< where the gate is, if on them
  Slot* slot_{};
  bool gated_by_slot_{};
  Tensor squares_, energy_, activations_;
  std::int64_t positions_{};
  std::size_t first_{};
};

/// One whole residual layer under measurement; sums are float64.
class LayerGauge {
 public:
  LayerGauge(const HostModel& host, std::size_t index) : host_(host), index_(index) {}

  void add_target(std::vector<Tensor>& targets) {
    const Tensor& branch = host_.residual_passes().at(index_).branch;
    if (!branch.defined()) throw std::runtime_error("layer " + name() + " was not passed");
    place_ = targets.size();
    targets.push_back(branch);
  }

  void take(const std::vector<Tensor>& gradients) {
    const auto& [stream, branch] = host_.residual_passes().at(index_);
    const Tensor before = stream.detach().to(torch::kFloat64);
    const Tensor added = branch.detach().to(torch::kFloat64);
    const Tensor& gradient = gradients[place_];
    const double slope =
        gradient.defined() ? (added * gradient.to(torch::kFloat64)).sum().item<double>() : 0;
    squares_ += slope * slope;
    const std::int64_t channels = before.dim() == 4 ? 1 : -1;  // of images, of sequences
    const Tensor cosines = at::cosine_similarity(before, before + added, channels);
    cosines_ += cosines.sum().item<double>();
    positions_ += static_cast<double>(cosines.numel());
  }

  [[nodiscard]] double squares() const { return squares_; }
  [[nodiscard]] LayerImportance result(double mean) const {
    LayerImportance importance;
    importance.layer = name();
    importance.importance = mean > 0 ? squares_ / mean : squares_;
    importance.similarity = cosines_ / positions_;
    if (std::isfinite(importance.similarity))  // not rounded beyond what a cosine can be
      importance.similarity = std::clamp(importance.similarity, -1.0, 1.0);
    return importance;
  }

 private:
  [[nodiscard]] const std::string& name() const {
    return host_.description().residual_layers.at(index_).name;
  }

  const HostModel& host_;
  std::size_t index_;
  std::size_t place_{};
  double squares_{}, cosines_{}, positions_{};
};

/// Slots and residual layers keep what passes through them until the end of the block.
class ObservingScope {
 public:
  explicit ObservingScope(HostModel& host) : host_(host) { observe(true); }
  ~ObservingScope() {
    observe(false);
    forget();
  }
  void forget() {
    for (Slot& slot : host_.slots()) slot.forget();
    host_.forget_layers();
  }
  ObservingScope(const ObservingScope&) = delete;
  ObservingScope& operator=(const ObservingScope&) = delete;

 private:
  void observe(bool observing) {
    for (Slot& slot : host_.slots()) slot.set_observing(observing);
    host_.set_observing_layers(observing);
  }

  HostModel& host_;
};

std::vector<GroupGauge> group_gauges(HostModel& host) {
  std::vector<GroupGauge> gauges;
  for (const CoupledGroup& group : host.description().coupled_groups)
    if (group.channels > 0) gauges.emplace_back(host, group);
  return gauges;
}

std::vector<LayerGauge> layer_gauges(const HostModel& host) {
  std::vector<LayerGauge> gauges;
  const auto& layers = host.description().residual_layers;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!layers[i].removed) gauges.emplace_back(host, i);
  return gauges;
}

void report_layers(ImportanceReport& report, const std::vector<LayerGauge>& gauges) {
  double mean = 0;
  for (const LayerGauge& gauge : gauges)
    mean += gauge.squares() / static_cast<double>(gauges.size());
  for (const LayerGauge& gauge : gauges) {
    const LayerImportance& found = report.layers.emplace_back(gauge.result(mean));
    if (report.problem.empty() &&
        (!std::isfinite(found.importance) || !std::isfinite(found.similarity)))
      report.problem = "not finite in layer " + found.layer;
  }
}

void measure_into(ImportanceReport& report, HostModel& host, const std::vector<Batch>& batches,
                  const LossFunction& loss, const std::atomic<bool>& stop) {
  ObservingScope observing(host);
  const at::AutoGradMode graph(true);
  auto gauges = group_gauges(host);
  auto layers = layer_gauges(host);
  for (const Batch& batch : batches) {
    if (stop.load()) {
      report.problem = "stopped";
      return;
    }
    const Tensor value = loss(host.forward(batch.inputs), batch.targets);
    std::vector<Tensor> targets;
    for (GroupGauge& gauge : gauges) gauge.add_targets(targets);
    for (LayerGauge& gauge : layers) gauge.add_target(targets);
    const auto gradients = torch::autograd::grad({value}, targets, {}, /*retain_graph=*/false,
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    for (GroupGauge& gauge : gauges) gauge.take(targets, gradients);
    for (LayerGauge& gauge : layers) gauge.take(gradients);
    observing.forget();
    report.samples += static_cast<std::uint32_t>(batch.inputs.size(0));
  }
  for (const GroupGauge& gauge : gauges) {
    report.groups.push_back(gauge.result());
    const auto finite_all = [](const std::vector<double>& values) {
      return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
    };
    if (report.problem.empty() && (!finite_all(report.groups.back().importance) ||
                                   !finite_all(report.groups.back().activity)))
      report.problem = "not finite in group " + report.groups.back().group;
  }
  report_layers(report, layers);
}

}  // namespace

ImportanceReport measure(ModelCopy& copy, const std::vector<Batch>& batches,
                         const LossFunction& loss, const std::atomic<bool>& stop) {
  ImportanceReport report;
  report.host = copy.host().description();
  try {
    measure_into(report, copy.host(), batches, loss, stop);
  } catch (const std::exception& failure) {
    report.problem = failure.what();
  }
  if (!report.problem.empty()) {
    report.groups.clear();
    report.layers.clear();
  }
  return report;
}

}  // namespace esper
