#pragma once
// Passes beside the training pass, for seeds alone: shadow passes that teach isolated seeds, the
// update of seeds on the graph, and gate passes. None is noticed by the host.
#include "gpu/live_seed.hpp"
#include "gpu/session_data.hpp"

namespace esper {

/// The host and every seed that is no part of it, but `learning`.
[[nodiscard]] std::vector<torch::nn::Module*> all_modules(HostModel& host, const SeedBed& bed,
                                                          const LiveSeed* learning = nullptr);

/// KL(teacher || student), nats per target. Both [samples, …, classes].
[[nodiscard]] torch::Tensor distillation(const torch::Tensor& logits, const torch::Tensor& teacher);

/// AdamW over the seed's parameters at its peak rate. `ratio`: the schedule's present one.
[[nodiscard]] std::unique_ptr<torch::optim::AdamW> seed_optimizer(
    const std::vector<torch::Tensor>& parameters, const SeedConfig& config, double learning_rate,
    double ratio);

/// One shadow pass of an isolated seed on `batch`, at its target alpha: the host in evaluation
/// mode and without a graph up to the slot, gradients for the seed's parameters alone, one update.
/// A pass whose loss or gradient is not finite is counted and not stepped. Returns its cost.
/// Slots must be observing; what they kept is let go.
std::uint64_t shadow_pass(HostModel& host, torch::optim::Optimizer& host_optimizer, SeedBed& bed,
                          LiveSeed& live, const Batch& batch, const LossFunction& loss,
                          double learning_rate_ratio);

/// The two halves of a shadow pass: gradients into the seed's own parameters, and the update that
/// they bring. `finite` false: the loss is not, and there are no gradients.
struct ShadowGradients {
  std::uint64_t operations{};
  bool finite{};
};
[[nodiscard]] ShadowGradients shadow_gradients(HostModel& host, SeedBed& bed, LiveSeed& live,
                                               const Batch& batch, const LossFunction& loss);
void learn_isolated(LiveSeed& live, double learning_rate_ratio);

/// Gradients of a seed on the graph are finite.
[[nodiscard]] bool gradients_finite(const LiveSeed& live);

/// One update of a seed on the graph from the task's gradient; then its gradients are undefined.
void task_step(LiveSeed& live, double learning_rate_ratio);
/// Its two halves: how large the seed's output is beside the host's, and the update.
void measure_norms(LiveSeed& live);
void learn_on_graph(LiveSeed& live, double learning_rate_ratio);

/// Seeds stand with their averaged weights until the end of the block.
class AverageScope {
 public:
  explicit AverageScope(std::vector<LiveSeed*> seeds) : seeds_(std::move(seeds)) { exchange(); }
  ~AverageScope() { exchange(); }
  AverageScope(const AverageScope&) = delete;
  AverageScope& operator=(const AverageScope&) = delete;

 private:
  void exchange() {
    for (LiveSeed* live : seeds_) live->average.exchange(live->parameters);
  }
  std::vector<LiveSeed*> seeds_;
};

/// Fills `gate` of every seed that awaits a verdict: isolated ones with enough updates (not while
/// `paused`), grafting and stabilising ones at alpha > 0; and of scaffolds from their graft to
/// their retirement, whose parity is judged on the verdict's samples. Returns the cost.
std::uint64_t gate_passes(HostModel& host, SeedBed& bed, const SessionData& data,
                          const TimeConfig& time, const GateConfig& gates, bool paused);

}  // namespace esper
