#pragma once
// What happens where a checkpoint closes: an approved surgery is carried out and verified, a copy
// is taken for Elesh, and the checkpoint is announced. On the trainer's thread but for `measure`.
#include <mutex>

#include "gpu/checkpoint_writer.hpp"
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
  /// Closes `window`: orders are carried out or refused, a checkpoint is announced and handed to
  /// the disk's thread. Returns the operations of its passes.
  [[nodiscard]] std::uint64_t close(Window window, Tick tick, WindowReport& report);
  /// Channels left since the last call: shapes are to be looked at anew.
  [[nodiscard]] bool take_cut() { return std::exchange(cut_, false); }
  [[nodiscard]] bool ever_cut() const { return ever_cut_; }
  void tell(DeviceTelemetry& device) const;

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
  [[nodiscard]] Refused coupling() const;
  [[nodiscard]] bool take_copy(std::uint64_t checkpoint);
  [[nodiscard]] GateScore score();

  HostModel& host_;
  torch::optim::Optimizer& optimizer_;
  const SessionSettings& settings_;
  const SessionData& data_;
  StepBoundary& boundary_;
  std::vector<SurgeryOrder> orders_;
  std::uint64_t zone_version_{}, newest_plan_{}, operations_{};
  Epoch newest_epoch_;
  bool cut_{}, ever_cut_{};
  std::uint64_t journal_sequence_{};  ///< as the newest turn told it
  std::string journal_head_;
  std::unique_ptr<CheckpointWriter> writer_;  ///< null: no folder
  Snapshot before_;                           ///< the hot checkpoint of a surgery

  std::mutex copy_mutex_;  ///< held by Elesh while it measures; the trainer only tries
  std::unique_ptr<ModelCopy> copy_;
  std::vector<Batch> batches_;
  std::uint64_t copied_{};  ///< checkpoint that the copy is of
  std::uint64_t copied_structure_{};
  mutable std::mutex coupling_mutex_;
  bool coupling_checked_{};
  std::string coupling_fault_;  ///< of the host's description; "": it is true
};

}  // namespace esper
