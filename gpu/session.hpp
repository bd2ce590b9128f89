#pragma once
// What a user's loop calls, three times a step:
//
//   session.start_step();
//   optimizer.zero_grad();
//   auto loss = …; loss.backward();
//   if (session.after_backward(loss).proceed()) optimizer.step();
//   session.end_step();
//
// With no seed in its path the host trains bit for bit as without a session.
#include <array>
#include <chrono>

#include "actors/decisions/overhead.hpp"
#include "gpu/checkpoint_boundary.hpp"
#include "gpu/window_telemetry.hpp"

namespace esper {

class Session {
 public:
  /// host, optimizer (AdamW over the host's parameters) and exchange must outlive it. `stop` ends a
  /// lockstep wait; may be null. Mode off: all three calls do nothing.
  Session(HostModel& host, torch::optim::Optimizer& optimizer, SessionSettings settings,
          SessionData data, TurnExchange& exchange, const std::atomic<bool>* stop = nullptr);

  /// Before the forward pass: alpha of this step; what a skip needs to put back.
  void start_step();
  /// After backward, before the optimizer. `skip`: leave the update out, as a gradient scaler does.
  /// Buffers are then as before the step, and every unfossilised seed is at alpha 0. Else seeds
  /// learn here, from a batch that the host has not fitted yet.
  [[nodiscard]] StepVerdict after_backward(const at::Tensor& loss);
  /// After the update: commands take effect, a full window goes out. An update made on a skip is
  /// undone here.
  void end_step();

  /// Goes on from a checkpoint, before the first step: with a host, an optimizer and data as they
  /// were at the run's very beginning, whatever their weights, and an exchange that nobody reads
  /// yet. Publishes the reports that the journal may not have.
  /// Errors: std::runtime_error, one sentence with the file's path; all is then of no more use.
  void resume(const CheckpointContent& content);
  /// Blocks until the checkpoints taken are on disk, or have failed.
  void await_checkpoints() { checkpoint_.await_disk(); }

  [[nodiscard]] Tick tick() const { return memory_.tick; }
  [[nodiscard]] Step step() const { return const_cast<Session*>(this)->boundary_.history().step; }
  [[nodiscard]] Window last_window() const { return memory_.window; }
  [[nodiscard]] bool stalled() const { return memory_.stalled; }
  [[nodiscard]] std::uint64_t late_turns() const { return memory_.late_turns; }
  [[nodiscard]] bool verdict_ignored() const { return memory_.verdict_ignored; }
  [[nodiscard]] const OperationCount& operations() const { return memory_.operations; }
  [[nodiscard]] SeedBed& bed() { return boundary_.bed(); }
  /// Channels were cut.
  [[nodiscard]] bool cut() const { return checkpoint_.ever_cut(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {
    TurnRelease turn;
    bool escapes_done{};
  };

  [[nodiscard]] const char* alarm(double loss);
  void skip_step(const char* reason);
  void keep_buffers();
  void restore_buffers();
  void undo_ignored_update();
  void train_seeds();
  void take_turns(Window newest);
  void escape_now();
  void apply_turns();
  void watch_executor();
  void close_window();
  void tell_seeds(std::vector<RegionTelemetry>& regions);
  void tell_device(DeviceTelemetry& device);
  [[nodiscard]] CheckpointContent content();

  HostModel& host_;
  torch::optim::Optimizer& optimizer_;
  SessionSettings settings_;
  SessionData data_;
  TurnExchange& exchange_;
  const std::atomic<bool>* stop_;
  StepBoundary boundary_;
  CheckpointBoundary checkpoint_;
  WindowTelemetry telemetry_;
  SessionMemory memory_;  ///< all that outlives a window, but for what is its members' own
  // Of the step or the window under way: set anew, or empty, where a window begins.
  std::vector<at::Tensor> parameters_;                      ///< the host's, for the versions below
  std::vector<std::pair<at::Tensor, at::Tensor>> buffers_;  ///< live, before the step
  std::vector<std::uint64_t> versions_;                     ///< of parameters_, at a skip
  Snapshot before_skip_;
  OperationCount operations_;
  std::array<Pending, TurnExchange::turns_waiting_max> pending_;
  std::size_t pending_count_{};
  double ratio_{1};  ///< learning rate over its peak, of this step
  double loss_{};
  StepVerdict verdict_;
  bool seeds_in_path_{}, loss_finite_{true};
  Clock::time_point step_began_, call_began_;
  double control_seconds_{};
  std::vector<double> step_seconds_;
};

}  // namespace esper
