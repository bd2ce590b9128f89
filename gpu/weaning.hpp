#pragma once
// How a host learns to do without a scaffold: light distillation from the model as it stood when
// the scaffold began to leave, and a pull of its region's weights to where they stood then.
#include "gpu/checkpoint_manifest.hpp"
#include "gpu/live_seed.hpp"
#include "gpu/session_data.hpp"

namespace esper {

class WeaningLesson {
 public:
  /// Copies the present model, every seed at its present alpha, and the weights of `region`.
  WeaningLesson(HostModel& host, const SeedBed& bed, RegionId region);
  using Pair = std::pair<torch::Tensor, torch::Tensor>;  ///< live, as it stood
  /// As a checkpoint tells of it.
  WeaningLesson(std::vector<Pair> taught, std::vector<StandingSeed> standing,
                std::vector<Pair> anchors)
      : tensors_(std::move(taught)), standing_(std::move(standing)), anchors_(std::move(anchors)) {}

  /// After the task's backward, before the host's update. Adds to the host's gradients
  ///   kd_weight · KL(teacher || student) on `batch`, mean over samples, the student being the
  ///   present model in evaluation mode, and
  ///   anchor_weight · sign(w - anchor) for the region's own weights.
  /// No buffer is touched and no random number drawn. A distillation that is not finite teaches
  /// nothing; one whose model has lost channels since is over. Returns the cost.
  std::uint64_t teach(HostModel& host, SeedBed& bed, const LiveSeed& leaving, const Batch& batch);

  /// For a checkpoint.
  [[nodiscard]] const std::vector<Pair>& taught() const { return tensors_; }
  [[nodiscard]] const std::vector<Pair>& anchors() const { return anchors_; }
  [[nodiscard]] const std::vector<StandingSeed>& standing() const { return standing_; }

 private:
  class TeacherScope;
  [[nodiscard]] bool fits() const;
  [[nodiscard]] double alpha_of(SeedId seed) const;
  [[nodiscard]] std::uint64_t distil(HostModel& host, SeedBed& bed, double weight,
                                     const Batch& batch);
  void pull(double weight);

  std::vector<Pair> tensors_;           ///< of the whole model
  std::vector<StandingSeed> standing_;  ///< every seed of then
  std::vector<Pair> anchors_;           ///< of the region
};

}  // namespace esper
