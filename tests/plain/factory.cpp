// What the tests' libesper_gpu.so exports: `esper`, with this library beside it in place of the
// real one, is the real process without tensors.
#include <cstdlib>

#include "messages/failpoint.hpp"
#include "tests/plain/trainer.hpp"

namespace esper::plain {
namespace {

class PlainFactory final : public TrainingFactory {
 public:
  PlainFactory() {
    if (const char* failpoint = std::getenv(failpoint_variable); failpoint != nullptr)
      problem_ = arm_failpoint(failpoint);
  }

  [[nodiscard]] std::unique_ptr<Training> make(const TrainingRequest& request) override {
    if (!problem_.empty()) throw std::runtime_error(problem_);
    return std::make_unique<PlainTrainer>(request);
  }
  [[nodiscard]] std::string torch_version() const override { return "none"; }
  [[nodiscard]] std::vector<CheckpointFound> checkpoints(const std::string& folder) override {
    return find_checkpoints(folder);
  }
  void measure_latency(const std::vector<Training*>&, std::vector<TrainedModel*>) override {}

 private:
  std::string problem_;  ///< of the environment; "": none
};

}  // namespace
}  // namespace esper::plain

extern "C" __attribute__((visibility("default"))) esper::TrainingFactory* esper_gpu() {
  static esper::plain::PlainFactory factory;
  return &factory;
}
