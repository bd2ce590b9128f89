#pragma once
// Kasmina's hands: carries out commands between two steps, and escapes by reflex. Decides nothing:
// it refuses what the lifecycle, the fence, the lease or a limit forbids.
#include <map>

#include "gpu/graft_checkpoint.hpp"
#include "gpu/turn_exchange.hpp"

namespace esper {

class StepBoundary {
 public:
  /// All references must outlive it.
  StepBoundary(HostModel& host, torch::optim::Optimizer& optimizer, const SessionSettings& settings,
               const SessionData& data, TurnExchange& exchange);

  /// Carries out or refuses one command at the boundary that closes `boundary`, and appends its
  /// outcome, with those of other seeds that it touched. LibTorch's exceptions become `fault`.
  void apply(const AdaptationCommand& command, Window boundary, bool overhead_paused,
             std::vector<Outcome>& outcomes);

  /// Of several replicas: does what of a command can fail on one of them alone, so that `apply`
  /// cannot. What it came to, the same wherever it came to the same.
  [[nodiscard]] std::uint64_t prepare(const AdaptationCommand& command);
  void forget_prepared() { prepared_.clear(); }
  /// Likewise: the fences that all of them see at this boundary, by region; the exchange's own may
  /// rise under one of them in the middle of it.
  void see_fences(const std::vector<Epoch>& fences);

  /// Every unfossilised seed at alpha > 0 to 0, at once, with an outcome each.
  void escape_by_reflex(const char* cause, std::vector<Outcome>& outcomes);

  /// Fault injection: the weights of the region's oldest unfossilised seed are no numbers from now
  /// on. False: none stands there.
  [[nodiscard]] bool poison(RegionId region);

  [[nodiscard]] SeedBed& bed() { return bed_; }
  [[nodiscard]] SurvivingHistory& history() { return history_; }
  /// For a checkpoint, as set and put back.
  [[nodiscard]] BoundaryMemory& memory() { return memory_; }
  /// Something that seeds() shows has changed since the last call.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }
  /// What looking at the gate split cost the commands carried out since the last call.
  [[nodiscard]] std::uint64_t take_gate_operations() { return std::exchange(gate_operations_, 0); }

 private:
  struct Refused {
    CommandRefusal refusal{CommandRefusal::none};
    std::string detail;
  };
  [[nodiscard]] Refused admit(const AdaptationCommand& command, Window boundary);
  [[nodiscard]] Refused carry_out(const AdaptationCommand& command, bool overhead_paused,
                                  Outcome& outcome, std::vector<Outcome>& outcomes);
  [[nodiscard]] Refused germinate(const AdaptationCommand& command, bool overhead_paused);
  [[nodiscard]] Refused graft(LiveSeed& live, const Mitigations& mitigations);
  void fossilise(LiveSeed& live);
  [[nodiscard]] Refused leave(LiveSeed& live, const AdaptationCommand& command, Outcome& outcome);
  [[nodiscard]] Refused fold(LiveSeed& live, Outcome& outcome);
  void wean(LiveSeed& live, const Mitigations& mitigations);
  void begin_sunset(LiveSeed& live);
  void roll_back(LiveSeed& live, Outcome& outcome, std::vector<Outcome>& outcomes);
  void cull(SeedId seed);
  void escape_region(RegionId region);
  [[nodiscard]] Outcome reflex_outcome(const LiveSeed& live, const char* cause) const;
  [[nodiscard]] std::shared_ptr<Seed> build_seed(const AdaptationCommand& command,
                                                 const Blueprint& design) const;
  [[nodiscard]] const Blueprint* design_of(const AdaptationCommand& command) const;
  [[nodiscard]] Epoch fence_of(RegionId region) const;
  void raise_fence(RegionId region, Epoch epoch);
  [[nodiscard]] HighWater& high_water(const CommandId& id);

  HostModel& host_;
  torch::optim::Optimizer& optimizer_;
  const SessionSettings& settings_;
  const SessionData& data_;
  TurnExchange& exchange_;
  SeedBed bed_;  // in checkpoints, as is the history
  SurvivingHistory history_;
  BoundaryMemory memory_;
  // Taken by the session before a window's report goes out.
  std::uint64_t gate_operations_{};
  bool changed_{};
  // Of several replicas, of the boundary under way.
  std::vector<Epoch> fences_;  ///< empty: the exchange's count
  std::map<CommandId, std::shared_ptr<Seed>> prepared_;
};

}  // namespace esper
