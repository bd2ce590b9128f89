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
#include "gpu/boundary_orders.hpp"
#include "gpu/checkpoint_boundary.hpp"
#include "gpu/replicas.hpp"
#include "gpu/state_hashes.hpp"
#include "gpu/step_undo.hpp"
#include "gpu/window_telemetry.hpp"

namespace esper {

class Session {
 public:
  /// host, optimizer (AdamW over the host's parameters) and exchange must outlive it. `stop` ends a
  /// lockstep wait; may be null. Mode off: all three calls do nothing.
  /// replicas  of a model that several train together; null: this one trains alone. Only the one
  ///           that leads publishes windows and takes turns from its exchange.
  Session(HostModel& host, torch::optim::Optimizer& optimizer, SessionSettings settings,
          SessionData data, TurnExchange& exchange, const std::atomic<bool>* stop = nullptr,
          Replicas* replicas = nullptr);

  /// Before the forward pass: alpha of this step; what a skip needs to put back.
  void start_step();
  /// After backward, before the optimizer. Of several replicas: the host's gradients become the
  /// mean over all. `skip`: leave the update out, as a gradient scaler does.
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

  // Of several replicas. Where any of the three calls above throws CollectiveFailed, or the update
  // between them does not come about, `undo_step` first; then, with a group that stands, this
  // replica goes on or stands as the furthest does.
  /// The step under way, if one is, is as if it had not begun.
  void undo_step();
  /// The window's last step is done, but the boundary behind it is not: the session goes on with
  /// `finish_boundary`.
  [[nodiscard]] bool at_boundary() const { return boundary_open_; }
  void finish_boundary();
  /// All replicas have closed the window that this one closed last: it is told.
  void settle() { exchange_.settle(); }
  /// All that another replica needs to stand as this one does, between two steps.
  [[nodiscard]] CheckpointContent standing();
  /// Whatever stood here before. Errors: std::runtime_error, one clause; all is then of no more
  /// use.
  void stand_as(const CheckpointContent& content, bool at_boundary);
  /// The loss of the last step, over all replicas.
  [[nodiscard]] double loss() const { return loss_; }

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
  [[nodiscard]] const char* own_alarm() const;
  void skip_step(const char* reason);
  void keep_buffers();
  void restore_buffers();
  void undo_ignored_update();
  void train_seeds();
  void keep_step();
  void begin_step_together();
  [[nodiscard]] double meet(double loss);
  void train_seeds_together();
  [[nodiscard]] std::uint64_t teach_together(LiveSeed& live);
  [[nodiscard]] BoundaryOrders orders() const;
  BoundaryOrders share_orders(BoundaryOrders told);
  void settle_window();
  void resynchronise(const std::vector<StateHash>& states);
  [[nodiscard]] std::uint64_t prepare_turns();
  [[nodiscard]] bool meet_at_boundary();
  [[nodiscard]] bool await_turns();
  void take_turns(Window newest);
  void escape_now();
  void apply_turns();
  /// For so many windows there has been no turn. Seeds then only stand where they are: nobody would
  /// take what they learn or how they are measured.
  [[nodiscard]] bool executor_silent() const {
    return memory_.window.value >
           memory_.newest_turn.value + settings_.reflex.executor_silent_windows;
  }
  void watch_executor();
  void close_window();
  void apply_boundary();
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

  // Of several replicas; of the step or boundary under way, but for the first.
  Replicas* replicas_;  ///< null: it trains alone
  CommonStep common_;
  StepUndo undo_;
  OperationCount operations_before_step_;
  std::optional<RegionId> poison_;
  double control_share_{};  ///< the leader's
  bool in_step_{}, boundary_open_{}, orders_untold_{}, turns_agreed_{true};
};

}  // namespace esper
