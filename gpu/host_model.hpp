#pragma once
// A host: any module whose forward passes its activations through named slots, described as data.
#include <memory>
#include <string>
#include <vector>

#include "gpu/seed_slot.hpp"
#include "messages/host.hpp"

namespace esper {

/// Derive from it, hold a torch::nn::Module, call `slot(i)` where description.slots[i] stands and
/// `residual(i, …)` where description.residual_layers[i] does.
class HostModel {
 public:
  virtual ~HostModel() = default;
  HostModel(const HostModel&) = delete;
  HostModel& operator=(const HostModel&) = delete;

  [[nodiscard]] virtual torch::nn::Module& module() = 0;
  /// Inputs [batch, …] to logits [batch, …, classes], float32.
  [[nodiscard]] virtual torch::Tensor forward(torch::Tensor inputs) = 0;

  [[nodiscard]] const HostDescription& description() const { return description_; }
  /// After surgery, or on the way back from it: other shapes, the same regions and slots.
  /// Errors: InvariantViolation for another number of slots.
  void describe(HostDescription description);
  /// In SlotId order; addresses never change.
  [[nodiscard]] std::vector<Slot>& slots() { return slots_; }
  [[nodiscard]] Slot& slot(std::size_t index) { return slots_[index]; }

  /// What passed a residual layer: the stream before it, and what its branch adds.
  struct ResidualPass {
    torch::Tensor stream, branch;
  };
  /// While observing, of the newest pass, one for each residual layer; undefined for those that
  /// have left. No graph outlives `forget_layers`.
  void set_observing_layers(bool observing) { observing_layers_ = observing; }
  [[nodiscard]] const std::vector<ResidualPass>& residual_passes() const { return passes_; }
  void forget_layers() { passes_.assign(description_.residual_layers.size(), {}); }

  /// The host's own parameters of a region, by its prefixes; fossilised seeds are not among them,
  /// nor what has no entry any more.
  [[nodiscard]] std::vector<torch::Tensor> region_parameters(RegionId region);

  /// A fossilised seed's modules become submodules, named after their slots: saved, counted and
  /// switched between training and evaluation with the host.
  void adopt(const Seed& seed);
  /// Undoes `adopt`, for a rollback.
  void release(const Seed& seed);

 protected:
  explicit HostModel(HostDescription description);

  /// stream + branch(stream); the stream itself, the same TensorImpl, where the layer has left.
  template <typename Branch>
  [[nodiscard]] torch::Tensor residual(std::size_t layer, const torch::Tensor& stream,
                                       const Branch& branch) {
    if (description_.residual_layers.at(layer).removed) return stream;
    const torch::Tensor added = branch(stream);
    if (observing_layers_) passes_.at(layer) = {stream, added};
    return stream + added;
  }

 private:
  HostDescription description_;
  std::vector<Slot> slots_;
  bool observing_layers_{};
  std::vector<ResidualPass> passes_;
};

}  // namespace esper
