#pragma once
// The seeds of a simulated host: commands move them by the same rules as the real step boundary's
// (admission, lifecycle, limits, ramps); what a seed brings is drawn from the run's seed.
#include <map>
#include <optional>
#include <vector>

#include "actors/decisions/admission.hpp"
#include "actors/decisions/alpha_ramp.hpp"
#include "messages/blueprint.hpp"
#include "messages/configuration.hpp"
#include "messages/host.hpp"
#include "messages/telemetry.hpp"

namespace esper::sim {

struct SimulatedSeed {
  SeedId seed;
  RegionId region;
  SlotId slot;
  std::string blueprint;
  bool scaffold{};
  Stage stage{Stage::train_isolated};
  AlphaRamp ramp;
  Mitigations mitigations;
  std::uint64_t parameters{}, operations{};
  std::uint64_t updates{};
  std::uint64_t graft{};      ///< its hot checkpoint's number; 0: none
  std::uint64_t structure{};  ///< of the host, at that checkpoint
  bool frozen{};
  double gain{};  ///< nats that it saves at full alpha; negative: it harms
  bool shakes{};  ///< its region, from half alpha on
};

class SeedBed {
 public:
  SeedBed(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue);

  /// Carries out or refuses one command at the boundary that closes `boundary`, and appends its
  /// outcome, with those of other seeds that it touched.
  void apply(const AdaptationCommand& command, Window boundary, Step step, bool overhead_paused,
             std::vector<Outcome>& outcomes);
  /// Every unfossilised seed at alpha > 0 to 0 at once, with an outcome each. Returns whether any.
  bool escape_by_reflex(const std::string& cause, Step step, std::vector<Outcome>& outcomes);
  /// One training step: ramps move, seeds learn.
  void take_step(bool overhead_paused);

  void fence(RegionId region, Epoch epoch);
  [[nodiscard]] Epoch fence_of(RegionId region) const { return fences_.at(region.value); }
  [[nodiscard]] const std::vector<SimulatedSeed>& seeds() const { return seeds_; }
  [[nodiscard]] std::vector<SeedStatus> status() const;
  /// What all seeds at work take off the loss, and that of one region.
  [[nodiscard]] double saved() const;
  [[nodiscard]] double saved(RegionId region) const;
  [[nodiscard]] bool helped(RegionId region) const;
  [[nodiscard]] bool shaken(RegionId region) const;
  [[nodiscard]] bool touches_host(RegionId region) const;
  [[nodiscard]] std::vector<SeedTelemetry> tell(RegionId region, double loss) const;
  [[nodiscard]] std::uint64_t structure() const { return structure_; }
  void restructured() { ++structure_; }
  /// Of the host alone, as the last surgery left it.
  void resized(std::uint64_t parameters, std::uint64_t operations);

 private:
  [[nodiscard]] CommandRefusal carry_out(const AdaptationCommand& command, bool overhead_paused,
                                         Step step, Outcome& outcome,
                                         std::vector<Outcome>& outcomes);
  [[nodiscard]] CommandRefusal germinate(const AdaptationCommand& command, bool overhead_paused);
  [[nodiscard]] CommandRefusal leave(SimulatedSeed& seed, const AdaptationCommand& command,
                                     Outcome& outcome);
  void graft(SimulatedSeed& seed, const Mitigations& mitigations);
  void roll_back(SimulatedSeed& seed, Step step, Outcome& outcome, std::vector<Outcome>& outcomes);
  void remove(SeedId seed, Stage left_behind);
  [[nodiscard]] SimulatedSeed* find(SeedId seed);
  [[nodiscard]] Outcome reflex_outcome(const SimulatedSeed& seed, const std::string& cause,
                                       Step step) const;

  const RunConfig& config_;
  HostDescription host_;
  const Catalogue& catalogue_;
  std::vector<HighWater> marks_;  ///< by region
  std::vector<Epoch> fences_;
  std::vector<double> absorbed_;  ///< by region: what folded scaffolds left to the host, nats
  std::vector<Stage> stages_;     ///< by slot
  std::vector<SimulatedSeed> seeds_;
  std::uint64_t grafts_{}, structure_{};
};

}  // namespace esper::sim
