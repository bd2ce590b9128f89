#pragma once
// A training that runs already, handed to a control side that begins beside it: to whoever launches
// it, it looks like one that goes on from where it stands.
#include "runtime/cluster/follower.hpp"

namespace esper {

/// Its grown arm is the follower's; what else it makes is the other factory's. Both outlive it.
class AttachedFactory final : public TrainingFactory {
 public:
  AttachedFactory(TrainingFactory& factory, Follower& follower)
      : factory_(factory), follower_(follower) {}

  /// Errors: also std::runtime_error when the follower's training never came about.
  [[nodiscard]] std::unique_ptr<Training> make(const TrainingRequest& request) override;
  [[nodiscard]] std::string torch_version() const override { return factory_.torch_version(); }
  void measure_latency(const std::vector<Training*>& trained,
                       std::vector<TrainedModel*> models) override;

 private:
  TrainingFactory& factory_;
  Follower& follower_;
};

}  // namespace esper
