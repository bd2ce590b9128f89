#pragma once
// Narset's commands to Kasmina and what became of them.
#include "messages/schema.hpp"

namespace esper {

/// Where a seed stands, in the order in which it moves forward. `dormant` is an empty slot.
enum class Stage : std::uint8_t {
  dormant,
  train_isolated,
  grafting,
  stabilising,
  weaning,  ///< a scaffold whose alpha falls while the host learns to do without it
  sunset,   ///< a scaffold that does nothing any more; its slot is still held
  fossilised,
  embargoed,
};
ESPER_ENUM_NAMES(Stage, "dormant", "train_isolated", "grafting", "stabilising", "weaning", "sunset",
                 "fossilised", "embargoed");

enum class CommandKind : std::uint8_t {
  germinate,     ///< dormant -> train_isolated
  graft,         ///< train_isolated -> grafting, first alpha stage; hot checkpoint before
  advance,       ///< next alpha stage; a ramp without it stands still
  hold,          ///< alpha stays where it is
  stabilise,     ///< grafting at full alpha -> stabilising
  fossilise,     ///< stabilising -> fossilised: parameters move to the host's optimizer
  cull,          ///< any unfossilised -> embargoed: the seed is gone
  escape,        ///< every unfossilised seed of the region to alpha = 0
  roll_back,     ///< restore the hot checkpoint taken at the graft, then cull
  lift_embargo,  ///< embargoed -> dormant
  freeze,        ///< scaffold, stabilising: its statistics stand still, so that it can be folded
  fold,          ///< frozen scaffold, stabilising -> sunset: absorbed into the host's own weights
  wean,          ///< scaffold, on the graph or weaning -> weaning: alpha falls by one stage
  sunset,        ///< scaffold, weaning -> sunset, at alpha 0
  retire,        ///< scaffold, sunset -> dormant: the slot is free again
};
ESPER_ENUM_NAMES(CommandKind, "germinate", "graft", "advance", "hold", "stabilise", "fossilise",
                 "cull", "escape", "roll_back", "lift_embargo", "freeze", "fold", "wean", "sunset",
                 "retire");

/// Unique per sender; the epoch fences out older incarnations (FENCE-1).
struct CommandId {
  RegionId region;
  Epoch epoch;
  std::uint64_t sequence{};
  friend constexpr auto operator<=>(const CommandId&, const CommandId&) = default;

  static constexpr auto schema =
      record("CommandId", field("region", &CommandId::region), field("epoch", &CommandId::epoch),
             field("sequence", &CommandId::sequence));
};

/// How drift is kept controlled; enforced by the executor and told back in the outcome.
struct Mitigations {
  std::vector<double> alpha_stages;  ///< ascending, last is the target; empty: executor refuses
  double knowledge_distillation_weight{};  ///< 0: none
  double clip_norm{};                      ///< of the seed's gradient; 0: none
  double anchor_weight{};  ///< weaning: pull of the host's weights to where they stood; 0: none

  static constexpr auto schema =
      record("Mitigations", field("alpha_stages", &Mitigations::alpha_stages),
             field("kd_weight", &Mitigations::knowledge_distillation_weight),
             field("clip_norm", &Mitigations::clip_norm),
             field("anchor_weight", &Mitigations::anchor_weight));
};

struct AdaptationCommand {
  CommandId id;
  CommandKind kind{};
  SlotId slot;                               ///< first slot of a group; unused by escape
  SeedId seed;                               ///< key of the germinating command; unused by escape
  std::string blueprint;                     ///< germinate only
  Mitigations mitigations;                   ///< germinate and graft
  std::optional<std::uint64_t> reservation;  ///< payment, of the region's book
  Energy price;                              ///< what this command charges when it succeeds
  Window authority_until;                    ///< end of the sender's current lease

  static constexpr auto schema = record(
      "AdaptationCommand", field("id", &AdaptationCommand::id),
      field("kind", &AdaptationCommand::kind), field("slot", &AdaptationCommand::slot),
      field("seed", &AdaptationCommand::seed), field("blueprint", &AdaptationCommand::blueprint),
      field("mitigations", &AdaptationCommand::mitigations),
      field("reservation", &AdaptationCommand::reservation),
      field("price", &AdaptationCommand::price),
      field("authority_until", &AdaptationCommand::authority_until));
};

/// Why the executor left a command undone.
enum class CommandRefusal : std::uint8_t {
  none,
  illegal_stage,  ///< the lifecycle forbids it from the seed's true stage
  old_epoch,      ///< a newer incarnation has been seen (FENCE-1)
  lease_expired,  ///< past authority_until
  already_done,   ///< this id was carried out before
  unknown_blueprint,
  unknown_slot,
  unknown_seed,
  observe_only,  ///< mode: observe
  limit_parameters,
  limit_operations,
  limit_memory,
  limit_seeds,
  limit_overhead,
  fault,           ///< LibTorch failed; nothing was changed
  not_foldable,    ///< no algebra absorbs it where it stands
  not_a_scaffold,  ///< the command is for scaffolds alone
  output_changed,  ///< folding would have changed the host's output; undone
};
ESPER_ENUM_NAMES(CommandRefusal, "none", "illegal_stage", "old_epoch", "lease_expired",
                 "already_done", "unknown_blueprint", "unknown_slot", "unknown_seed",
                 "observe_only", "limit_parameters", "limit_operations", "limit_memory",
                 "limit_seeds", "limit_overhead", "fault", "not_foldable", "not_a_scaffold",
                 "output_changed");

/// One command's fate, or a reflex (then `reflex` is set and the command is empty).
struct Outcome {
  CommandId command;
  CommandKind kind{};
  RegionId region;
  SlotId slot;
  SeedId seed;
  CommandRefusal refusal{};
  std::string detail;    ///< for people: the limit and its figure, the fault's text
  Stage stage{};         ///< after
  double alpha{};        ///< after
  Mitigations enforced;  ///< what the executor really applies from now on
  std::optional<std::uint64_t> reservation;
  std::uint64_t parameters{};  ///< of the seed
  bool reflex{};               ///< the step boundary acted by itself
  std::string cause;           ///< of a reflex: non_finite_output, loss_spike, executor_silent, …
  Step step;
  double output_change{};  ///< of fold and sunset: the host's output, relative, on the gate split

  static constexpr auto schema =
      record("Outcome", field("command", &Outcome::command), field("kind", &Outcome::kind),
             field("region", &Outcome::region), field("slot", &Outcome::slot),
             field("seed", &Outcome::seed), field("refusal", &Outcome::refusal),
             field("detail", &Outcome::detail), field("stage", &Outcome::stage),
             field("alpha", &Outcome::alpha), field("enforced", &Outcome::enforced),
             field("reservation", &Outcome::reservation), field("parameters", &Outcome::parameters),
             field("reflex", &Outcome::reflex), field("cause", &Outcome::cause),
             field("step", &Outcome::step), field("output_change", &Outcome::output_change));
};

/// A seed as the step boundary knows it: the truth that restarted actors read back.
struct SeedStatus {
  SeedId seed;
  RegionId region;
  SlotId slot;
  std::string blueprint;
  Stage stage{};
  double alpha{};
  std::uint32_t alpha_stage{};
  std::uint64_t parameters{};
  Mitigations mitigations;

  static constexpr auto schema = record(
      "SeedStatus", field("seed", &SeedStatus::seed), field("region", &SeedStatus::region),
      field("slot", &SeedStatus::slot), field("blueprint", &SeedStatus::blueprint),
      field("stage", &SeedStatus::stage), field("alpha", &SeedStatus::alpha),
      field("alpha_stage", &SeedStatus::alpha_stage), field("parameters", &SeedStatus::parameters),
      field("mitigations", &SeedStatus::mitigations));
};

}  // namespace esper
