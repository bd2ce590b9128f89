#pragma once
// A trainer without tensors for the real process: the real exchange of windows and turns, the real
// checkpoint files and their writer, and plain::Loop in place of a host.
#include <memory>

#include "gpu/turn_exchange.hpp"
#include "tests/plain/checkpoint.hpp"
#include "tests/plain/loop.hpp"
#include "tests/plain/witness.hpp"

namespace esper::plain {

/// Milliseconds that each window takes at least; without it as fast as may be.
inline constexpr const char* window_ms_variable = "ESPER_PLAIN_WINDOW_MS";

class PlainTrainer final : public Training {
 public:
  /// Errors: std::runtime_error, one sentence, as the real one.
  explicit PlainTrainer(const TrainingRequest& request);

  [[nodiscard]] const HostDescription& host() const override {
    return loop_ ? loop_->host() : host_;
  }
  [[nodiscard]] Executor* executor() override { return exchange_.get(); }
  [[nodiscard]] std::optional<CheckpointPlace> resumed() const override;
  [[nodiscard]] Catalogue assess(const std::vector<Blueprint>& blueprints) override;
  [[nodiscard]] TrainingEnd run(const std::atomic<bool>& stop,
                                const std::function<void(const TrainingProgress&)>& tell) override;
  [[nodiscard]] std::string write_model(const std::string& file,
                                        const std::string& structure) override;

 private:
  void go_on_from(const Checkpoint& cut);
  void take_turns(Window newest);
  void close_window(const std::atomic<bool>& stop);
  void carry_out(Window window, WindowReport& report);
  [[nodiscard]] Checkpoint content();
  [[nodiscard]] std::string weights_hash();

  RunConfig config_;
  std::string arm_, config_hash_;
  HostDescription host_;  ///< as launched
  Catalogue catalogue_;
  std::unique_ptr<TurnExchange> exchange_;  ///< null in mode off
  std::unique_ptr<CheckpointWriter> writer_;
  std::optional<Checkpoint> cut_;  ///< that `run` goes on from
  std::unique_ptr<Loop> loop_;
  SessionMemory memory_;
  CheckpointMemory checkpoints_;
  PlainMemory taken_;
  std::vector<TurnRelease> pending_;
  std::vector<double> window_losses_;
  Witness witness_;
};

}  // namespace esper::plain
