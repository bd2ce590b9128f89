#include "runtime/cluster/attached_training.hpp"

#include <stdexcept>

namespace esper {

namespace {

constexpr std::chrono::milliseconds look{20};

class AttachedTraining final : public Training {
 public:
  AttachedTraining(Follower& follower, Training& training)
      : follower_(follower), training_(training) {}

  [[nodiscard]] const HostDescription& host() const override {
    return over_ ? training_.host() : follower_.launched();
  }
  [[nodiscard]] Executor* executor() override { return training_.executor(); }
  [[nodiscard]] Catalogue assess(const std::vector<Blueprint>& /*blueprints*/) override {
    return follower_.catalogue();
  }
  [[nodiscard]] TrainingEnd run(const std::atomic<bool>& stop,
                                const std::function<void(const TrainingProgress&)>& tell) override {
    follower_.relay(tell);
    while (!follower_.wait(look))
      if (stop.load()) follower_.stop();
    follower_.relay({});
    over_ = true;
    if (!follower_.end().error.empty()) throw std::runtime_error(follower_.end().error);
    return follower_.end().training;
  }
  void lose(const std::string& node) override { follower_.lose(node); }
  [[nodiscard]] std::string write_model(const std::string& file,
                                        const std::string& structure) override {
    return training_.write_model(file, structure);
  }
  [[nodiscard]] Training* within() const { return &training_; }

 private:
  Follower& follower_;
  Training& training_;
  bool over_{};
};

}  // namespace

std::unique_ptr<Training> AttachedFactory::make(const TrainingRequest& request) {
  if (!request.replica) return factory_.make(request);
  Training* training = follower_.training();
  if (training == nullptr) throw std::runtime_error(follower_.end().error);
  return std::make_unique<AttachedTraining>(follower_, *training);
}

void AttachedFactory::measure_latency(const std::vector<Training*>& trained,
                                      std::vector<TrainedModel*> models) {
  auto within = trained;
  for (auto& training : within)
    if (const auto* attached = dynamic_cast<AttachedTraining*>(training))
      training = attached->within();
  factory_.measure_latency(within, std::move(models));
}

}  // namespace esper
