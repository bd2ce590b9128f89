#pragma once
// A host: any module whose forward passes its activations through named slots, described as data.
#include <memory>
#include <string>
#include <vector>

#include "gpu/seed_slot.hpp"
#include "messages/host.hpp"

namespace esper {

/// Derive from it, hold a torch::nn::Module, and call `slot(i)` where description.slots[i] stands.
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

  /// The host's own parameters of a region, by its prefixes; fossilised seeds are not among them.
  [[nodiscard]] std::vector<torch::Tensor> region_parameters(RegionId region);

  /// A fossilised seed's modules become submodules, named after their slots: saved, counted and
  /// switched between training and evaluation with the host.
  void adopt(const Seed& seed);
  /// Undoes `adopt`, for a rollback.
  void release(const Seed& seed);

 protected:
  explicit HostModel(HostDescription description);

 private:
  HostDescription description_;
  std::vector<Slot> slots_;
};

}  // namespace esper
