#pragma once
// The real trainer, but that some turns reach it one window late, however fast the machine is.
#include <thread>

#include "messages/interfaces.hpp"

namespace esper {

/// Says "the ring is full" to every third turn until the window after it has closed.
class LateExecutor final : public Executor {
 public:
  explicit LateExecutor(Executor& inner) : inner_(inner) {}

  static bool is_held(Window turn) { return turn.value % 3 == 0; }

  bool release(const TurnRelease& turn) override {
    if (is_held(turn.turn) && newest_seen_.load() <= turn.turn.value) return false;
    return inner_.release(turn);
  }
  bool next_window(WindowReport& report, std::chrono::milliseconds patience) override {
    const bool found = inner_.next_window(report, patience);
    if (found) newest_seen_ = report.window.value;
    return found;
  }
  void finish_window(Window window) override { inner_.finish_window(window); }
  void wake() override { inner_.wake(); }
  void catch_up(Window until) override { inner_.catch_up(until); }
  Window released() const override { return inner_.released(); }
  void fence(RegionId region, Epoch epoch) override { inner_.fence(region, epoch); }
  std::vector<SeedStatus> seeds() const override { return inner_.seeds(); }
  std::optional<ImportanceReport> measure_importance(std::uint64_t checkpoint) override {
    return inner_.measure_importance(checkpoint);
  }
  void set_control_alive(bool alive) override { inner_.set_control_alive(alive); }

 private:
  Executor& inner_;
  std::atomic<std::uint64_t> newest_seen_{0};
};

/// Turns come late, but not by ever more windows: the trainer, which tells of each window, waits
/// there for the turn before the last.
class LateTraining final : public Training {
 public:
  explicit LateTraining(std::unique_ptr<Training> inner)
      : inner_(std::move(inner)), executor_(*inner_->executor()) {}
  const HostDescription& host() const override { return inner_->host(); }
  Executor* executor() override { return &executor_; }
  Catalogue assess(const std::vector<Blueprint>& blueprints) override {
    return inner_->assess(blueprints);
  }
  TrainingEnd run(const std::atomic<bool>& stop,
                  const std::function<void(const TrainingProgress&)>& tell) override {
    std::uint64_t window = 0;
    return inner_->run(stop, [&](const TrainingProgress& now) {
      tell(now);
      ++window;
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
      while (now.step < now.steps && executor_.released().value + 2 < window &&
             std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    });
  }
  std::string write_model(const std::string& file, const std::string& structure) override {
    return inner_->write_model(file, structure);
  }
  [[nodiscard]] Training* inner() const { return inner_.get(); }

 private:
  std::unique_ptr<Training> inner_;
  LateExecutor executor_;
};

class LateFactory final : public TrainingFactory {
 public:
  explicit LateFactory(TrainingFactory& inner) : inner_(inner) {}
  std::unique_ptr<Training> make(const TrainingRequest& request) override {
    return std::make_unique<LateTraining>(inner_.make(request));
  }
  std::string torch_version() const override { return inner_.torch_version(); }
  void measure_latency(const std::vector<Training*>& trained,
                       std::vector<TrainedModel*> models) override {
    std::vector<Training*> real;
    real.reserve(trained.size());
    for (Training* one : trained) real.push_back(dynamic_cast<LateTraining&>(*one).inner());
    inner_.measure_latency(real, std::move(models));
  }

 private:
  TrainingFactory& inner_;
};

}  // namespace esper
