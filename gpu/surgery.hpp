#pragma once
// Channels and whole layers leave a host: every tensor that channels touch is sliced and stays
// dense, moments follow by index; a layer's tensors lose every entry, and their moments go. All
// keep their TensorImpl and their place, so that registries, groups and optimizers' keys hold, also
// on the way back and after a resume. What has no entry gets no gradient, and no optimizer steps
// it.
#include <map>
#include <string>
#include <vector>

#include "gpu/layer_options.hpp"
#include "gpu/live_seed.hpp"
#include "messages/pruning.hpp"

namespace esper {

struct CutAnswer {
  SurgeryRefusal refusal{SurgeryRefusal::none};
  std::string detail;  ///< why not
};

/// Keeps the channels that `cuts` name of the host, of the fossilised seeds in their slots, and of
/// `optimizer` (AdamW over all of these), and takes the residual `layers` out. Gradients become
/// undefined; the host is described anew. At a step boundary, with no graph alive.
/// Errors: uncoupled (a group, channel, layer, tensor or dimension that is not there, a group named
/// twice, a layer or seed that cannot lose channels), region_has_seeds (an unfossilised seed stands
/// where a tensor of the group or layer is). A refusal changes nothing.
[[nodiscard]] CutAnswer cut(HostModel& host, SeedBed& bed, torch::optim::Optimizer& optimizer,
                            const std::vector<GroupCut>& cuts,
                            const std::vector<std::string>& layers = {});
/// The same for a copy that nothing trains.
[[nodiscard]] CutAnswer cut(HostModel& host, SeedBed& bed, const std::vector<GroupCut>& cuts,
                            const std::vector<std::string>& layers = {});

/// Cuts a seed of any slot's width to its first `channels`: the shape of one that was built as wide
/// and has been cut since. Before an optimizer knows it.
/// Errors: InvariantViolation for a seed that is not built as its design is, or is narrower.
void narrow(Seed& seed, std::uint32_t channels);

/// One dimension of a live tensor that holds `stride` entries per channel.
struct LiveDimension {
  std::string name;
  torch::Tensor tensor;
  std::int64_t dimension{};
  std::int64_t stride{1};
  /// The entries of channel `channel`: a view.
  [[nodiscard]] torch::Tensor entries(std::uint32_t channel) const {
    return tensor.detach().narrow(dimension, channel * stride, stride);
  }
};

/// Every tensor that a group's channels touch, with those of fossilised seeds in its slots.
/// Empty when one of them is not there or is not `channels` times `stride` long; `problem` says
/// which.
[[nodiscard]] std::vector<LiveDimension> live_dimensions(HostModel& host, const SeedBed& bed,
                                                         const CoupledGroup& group,
                                                         std::string& problem);

/// Zeroes all parameters that make `channel` (dimension 0), so that it is 0 wherever it is read:
/// the host computes what it would without the channel. Errors: InvariantViolation for a group that
/// live_dimensions does not find.
void mask_channel(HostModel& host, const SeedBed& bed, const CoupledGroup& group,
                  std::uint32_t channel);

/// What a Snapshot does not hold of a host that is to be cut.
class Structure {
 public:
  Structure(HostModel& host, const SeedBed& bed);
  /// After the tensors are back.
  void restore(HostModel& host, SeedBed& bed) const;

 private:
  HostDescription description_;
  LayerOptions options_;
  std::map<SeedId, std::uint64_t> operations_;
};

}  // namespace esper
