#pragma once
// A planted seed with all that trains it, and the bed of slots that they stand in.
#include <memory>
#include <vector>

#include <torch/optim/adamw.h>

#include "actors/decisions/alpha_ramp.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "gpu/host_model.hpp"
#include "gpu/snapshot.hpp"
#include "gpu/weight_average.hpp"
#include "messages/telemetry.hpp"

namespace esper {

/// State at a graft, to roll back to.
struct GraftCheckpoint;
/// What a host learns from while a scaffold leaves it.
class WeaningLesson;

struct LiveSeed {
  std::shared_ptr<Seed> seed;
  RegionId region;
  std::vector<Slot*> slots;
  Stage stage{Stage::train_isolated};
  AlphaRamp ramp;
  Mitigations mitigations;
  /// One per seed, so that culling leaves no moments behind. Null once fossilised.
  std::unique_ptr<torch::optim::AdamW> optimizer;
  std::vector<torch::Tensor> parameters;
  WeightAverage average;       ///< while isolated
  double learning_rate{};      ///< at the schedule's peak
  std::uint64_t operations{};  ///< multiply-accumulates per sample
  std::uint64_t updates{};
  double relative_norm{};
  double gradient_norm{};
  std::uint64_t non_finite{};  ///< in the window under way
  bool silenced{};             ///< at alpha 0 until the next graft or advance
  GateMeasurement gate;
  std::shared_ptr<GraftCheckpoint> checkpoint;
  std::shared_ptr<WeaningLesson> lesson;  ///< from the first weaning command to the sunset

  [[nodiscard]] SlotId slot() const { return seed->slots.front(); }
  [[nodiscard]] bool fossilised() const { return stage == Stage::fossilised; }
  [[nodiscard]] bool scaffold() const {
    return seed->blueprint.blueprint_class == BlueprintClass::scaffold;
  }
  [[nodiscard]] bool on_graph() const { return esper::on_graph(stage); }
  [[nodiscard]] bool touches_host() const { return on_graph() && seed->alpha > 0; }
  [[nodiscard]] double target_alpha() const {
    return mitigations.alpha_stages.empty() ? 1 : mitigations.alpha_stages.back();
  }
  /// From the coming forward pass on.
  void set_alpha(double alpha) { seed->alpha = alpha; }
  void escape_to_zero() {
    escape(ramp);
    set_alpha(0);
    silenced = true;
  }
};

/// Every slot's stage and every seed that stands in one.
class SeedBed {
 public:
  explicit SeedBed(HostModel& host);

  [[nodiscard]] std::vector<std::unique_ptr<LiveSeed>>& seeds() { return seeds_; }
  [[nodiscard]] const std::vector<std::unique_ptr<LiveSeed>>& seeds() const { return seeds_; }
  [[nodiscard]] LiveSeed* find(SeedId seed);
  /// Of the slot's group, all; else the slot alone. Empty for an unknown slot.
  [[nodiscard]] std::vector<SlotId> group_of(SlotId slot) const;
  [[nodiscard]] Stage stage_of(SlotId slot) const { return stages_.at(slot.value); }
  void set_stage(const std::vector<SlotId>& slots, Stage stage);
  /// Empties the seed's slots, which are then in stage `left`. Its parameters leave with it.
  void remove(SeedId seed, Stage left = Stage::embargoed);
  [[nodiscard]] std::vector<SeedStatus> status() const;

  [[nodiscard]] std::uint32_t unfossilised() const;
  [[nodiscard]] std::uint64_t fossilised_operations() const;  ///< per sample
  [[nodiscard]] std::uint64_t parameters() const;             ///< of all seeds
  [[nodiscard]] std::uint64_t operations() const;             ///< per sample, of all seeds
  [[nodiscard]] bool any_touches_host() const;

 private:
  HostModel& host_;
  std::vector<Stage> stages_;                     // by SlotId
  std::vector<std::unique_ptr<LiveSeed>> seeds_;  // in order of germination
};

}  // namespace esper
