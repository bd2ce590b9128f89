#pragma once
// What happens where a checkpoint closes: an approved surgery is carried out and verified, a copy
// is taken for Elesh, and the checkpoint is announced. On the trainer's thread but for `measure`.
#include <mutex>

#include "gpu/checkpoint_file.hpp"
#include "gpu/gate_score.hpp"
#include "gpu/importance.hpp"
#include "gpu/step_boundary.hpp"
#include "gpu/surgery.hpp"

namespace esper {

class CheckpointBoundary {
 public:
  /// All references must outlive it.
  CheckpointBoundary(HostModel& host, torch::optim::Optimizer& optimizer,
                     const SessionSettings& settings, const SessionData& data,
                     StepBoundary& boundary);

  /// What a turn says of the zones, and its order, which waits for the boundary that it is for.
  void take(const TurnRelease& turn);
  /// Closes `window`: orders are carried out or refused, a checkpoint is announced. Returns the
  /// operations of its passes.
  [[nodiscard]] std::uint64_t close(Window window, WindowReport& report);
  /// Channels left since the last call: shapes are to be looked at anew.
  [[nodiscard]] bool take_cut() { return std::exchange(cut_, false); }
  [[nodiscard]] bool ever_cut() const { return memory_.ever_cut; }
  /// Hands a checkpoint to the disk's thread; only where one `is_kept`.
  void keep(CheckpointContent content) { writer_->write(job_of(std::move(content))); }
  [[nodiscard]] bool is_kept() const { return writer_ != nullptr; }
  /// Blocks until what was handed over is on disk or has failed.
  void await_disk() {
    if (writer_) writer_->finish();
  }
  [[nodiscard]] CheckpointMemory memory() const;
  /// The host stands as it did when `ready` was announced; Elesh's copy is taken of it anew.
  void remember(const CheckpointMemory& memory, const CheckpointReady& ready);
  void tell(DeviceTelemetry& device) const;
  /// Of several replicas: all that stood so at the last boundary, without a copy for Elesh.
  void stand(const CheckpointMemory& memory);
  /// Of several replicas, or after a resume: an order finds the coupled groups checked here, not by
  /// Elesh, which may not have come to it.
  void check_coupling_itself() { checks_itself_ = true; }

  /// Elesh's thread: the host's description is checked, once for each structure, and importance
  /// measured on the copy of this checkpoint. Nothing when there is no such copy. `ended`: soon no
  /// more.
  [[nodiscard]] std::optional<ImportanceReport> measure(std::uint64_t checkpoint,
                                                        const std::atomic<bool>& ended);

 private:
  struct Refused {
    SurgeryRefusal refusal{SurgeryRefusal::none};
    std::string detail;
  };
  [[nodiscard]] SurgeryOutcome carry_out(const SurgeryOrder& order, Window window);
  [[nodiscard]] Refused admit(const SurgeryOrder& order, Window window);
  [[nodiscard]] Refused operate(const PruningPlan& plan, const Structure& structure,
                                SurgeryOutcome& outcome);
  void undo(const Structure& structure);
  [[nodiscard]] Refused coupling();
  [[nodiscard]] std::string look_at_coupling();
  [[nodiscard]] bool take_copy(std::uint64_t checkpoint);
  [[nodiscard]] GateScore score();

  HostModel& host_;
  torch::optim::Optimizer& optimizer_;
  const SessionSettings& settings_;
  const SessionData& data_;
  StepBoundary& boundary_;
  CheckpointMemory memory_;  ///< all that outlives a boundary; its coupling under coupling_mutex_
  bool checks_itself_{};
  // Of the boundary under way: no order waits for a later one.
  std::vector<SurgeryOrder> orders_;
  std::uint64_t operations_{};
  bool cut_{};
  Snapshot before_;                           ///< the hot checkpoint of a surgery
  std::unique_ptr<CheckpointWriter> writer_;  ///< null: no folder

  // Taken anew of the same model by `remember`.
  std::mutex copy_mutex_;  ///< held by Elesh while it measures; the trainer only tries
  std::unique_ptr<ModelCopy> copy_;
  std::vector<Batch> batches_;
  std::uint64_t copied_{};  ///< checkpoint that the copy is of
  std::uint64_t copied_structure_{};
  mutable std::mutex coupling_mutex_;
};

}  // namespace esper
