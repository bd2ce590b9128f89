// What libesper_gpu.so exports.
#include <algorithm>
#include <cstdlib>

#include <torch/version.h>

#include "gpu/trainer.hpp"
#include "gpu/window_statistics.hpp"
#include "messages/failpoint.hpp"

namespace esper {

namespace {

class GpuFactory final : public TrainingFactory {
 public:
  GpuFactory() {
    if (const char* failpoint = std::getenv(failpoint_variable); failpoint != nullptr)
      problem_ = arm_failpoint(failpoint);
  }

  [[nodiscard]] std::unique_ptr<Training> make(const TrainingRequest& request) override {
    if (!problem_.empty()) throw std::runtime_error(problem_);
    return std::make_unique<Trainer>(request);
  }

  [[nodiscard]] std::string torch_version() const override { return TORCH_VERSION; }

  [[nodiscard]] std::vector<CheckpointFound> checkpoints(const std::string& folder) override {
    return find_checkpoints(folder);
  }

  void measure_latency(const std::vector<Training*>& trained,
                       std::vector<TrainedModel*> models) override {
    constexpr int rounds = 15, warm_rounds = 3;
    const std::size_t count = std::min(trained.size(), models.size());
    std::vector<std::vector<double>> batches(count), singles(count);
    // One pass of each in turn, so that what else the machine does falls on all alike.
    for (int round = 0; round < warm_rounds + rounds; ++round)
      for (std::size_t i = 0; i < count; ++i) {
        auto& trainer = dynamic_cast<Trainer&>(*trained[i]);
        const double batch = trainer.time_forward(trainer.batch());
        const double single = trainer.time_forward(1);
        if (round < warm_rounds) continue;
        batches[i].push_back(batch);
        singles[i].push_back(single);
      }
    for (std::size_t i = 0; i < count; ++i) {
      models[i]->latency_batch_seconds = quantile(batches[i], 0.5);
      models[i]->latency_single_seconds = quantile(singles[i], 0.5);
      models[i]->latency_batch_seconds_min = quantile(batches[i], 0);
      models[i]->latency_single_seconds_min = quantile(singles[i], 0);
    }
  }

 private:
  std::string problem_;  ///< of the environment; "": none
};

}  // namespace

}  // namespace esper

extern "C" __attribute__((visibility("default"))) esper::TrainingFactory* esper_gpu() {
  static esper::GpuFactory factory;
  return &factory;
}
