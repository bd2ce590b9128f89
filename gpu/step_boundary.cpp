#include "gpu/step_boundary.hpp"

#include <limits>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/limits.hpp"
#include "gpu/folding.hpp"
#include "gpu/optimizer_move.hpp"
#include "gpu/seed_training.hpp"
#include "gpu/weaning.hpp"
#include "messages/failpoint.hpp"

namespace esper {

namespace {

/// Value, gradient and two moments, float32.
constexpr std::uint64_t bytes_per_parameter = 16;

/// What `blueprint` adds in `slots`, as one seed.
Footprint footprint_of(const Blueprint& blueprint, const std::vector<SlotDescription>& slots) {
  Footprint added{.parameters = 0, .operations_per_sample = 0, .memory_bytes = 0, .seeds = 1};
  for (const auto& slot : slots) {
    added.parameters += parameters_of(blueprint, slot.channels);
    added.operations_per_sample += operations_of(blueprint, slot.channels, slot.height, slot.width);
  }
  added.memory_bytes = added.parameters * bytes_per_parameter;
  return added;
}

/// Commands by which a scaffold leaves, and those of nobody else.
bool for_scaffolds(CommandKind kind) {
  return kind == CommandKind::freeze || kind == CommandKind::fold || kind == CommandKind::wean ||
         kind == CommandKind::sunset || kind == CommandKind::retire;
}

}  // namespace

StepBoundary::StepBoundary(HostModel& host, torch::optim::Optimizer& optimizer,
                           const SessionSettings& settings, const SessionData& data,
                           TurnExchange& exchange)
    : host_(host),
      optimizer_(optimizer),
      settings_(settings),
      data_(data),
      exchange_(exchange),
      bed_(host),
      history_{.step = {}, .reflex = Reflex(settings.reflex), .structure = 0},
      memory_{.high_water = std::vector<HighWater>(host.description().regions.size())} {}

HighWater& StepBoundary::high_water(const CommandId& id) {
  return memory_.high_water.at(id.region.value);
}

StepBoundary::Refused StepBoundary::admit(const AdaptationCommand& command, Window boundary) {
  const auto& id = command.id;
  if (id.region.value >= memory_.high_water.size())
    return {CommandRefusal::unknown_slot, "no region " + std::to_string(id.region.value)};
  const Admission admission = esper::admit(command, boundary, fence_of(id.region), high_water(id));
  if (admission.refusal != CommandRefusal::old_epoch) raise_fence(id.region, id.epoch);
  return {admission.refusal, admission.detail};
}

Epoch StepBoundary::fence_of(RegionId region) const {
  return region.value < fences_.size() ? fences_[region.value] : exchange_.fence_of(region);
}

void StepBoundary::raise_fence(RegionId region, Epoch epoch) {
  if (region.value < fences_.size()) fences_[region.value] = std::max(fences_[region.value], epoch);
  exchange_.raise_fence(region, epoch);
}

void StepBoundary::see_fences(const std::vector<Epoch>& fences) {
  fences_ = fences;
  for (std::uint32_t region = 0; region < fences.size(); ++region)
    exchange_.raise_fence({region}, fences[region]);
}

const Blueprint* StepBoundary::design_of(const AdaptationCommand& command) const {
  for (const Blueprint& known : settings_.blueprints)
    if (known.name == command.blueprint) return &known;
  return nullptr;
}

std::shared_ptr<Seed> StepBoundary::build_seed(const AdaptationCommand& command,
                                               const Blueprint& design) const {
  const auto group = bed_.group_of(command.slot);
  std::vector<SlotDescription> places;
  for (const SlotId slot : group) places.push_back(host_.description().slots[slot.value]);
  return std::make_shared<Seed>(command.seed, design, group, places, settings_.seed,
                                settings_.builder);
}

std::uint64_t StepBoundary::prepare(const AdaptationCommand& command) {
  enum : std::uint64_t { nothing_to_prepare, prepared, failed };
  const Blueprint* design = design_of(command);
  if (command.kind != CommandKind::germinate || design == nullptr) return nothing_to_prepare;
  const auto group = bed_.group_of(command.slot);
  for (const SlotId slot : group)
    if (!fits(*design, host_.description().slots[slot.value])) return nothing_to_prepare;
  if (group.empty()) return nothing_to_prepare;
  try {
    prepared_[command.id] = build_seed(command, *design);
    return prepared;
  } catch (const std::exception&) {
    return failed;  // where it fails everywhere, `apply` says why
  }
}

void StepBoundary::apply(const AdaptationCommand& command, Window boundary, bool overhead_paused,
                         std::vector<Outcome>& outcomes) {
  Outcome outcome = outcome_of(command);
  if (const auto group = bed_.group_of(command.slot); !group.empty())
    outcome.stage = bed_.stage_of(group.front());
  auto refused = admit(command, boundary);
  if (refused.refusal == CommandRefusal::none) {
    try {
      refused = carry_out(command, overhead_paused, outcome, outcomes);
    } catch (const std::exception& failure) {
      refused = {CommandRefusal::fault, failure.what()};
    }
  }
  outcome.refusal = refused.refusal;
  outcome.detail += refused.detail;
  outcome.step = history_.step;
  if (refused.refusal == CommandRefusal::none) {
    count_in(high_water(command.id), command);
    changed_ = true;
  }
  if (LiveSeed* live = bed_.find(command.seed)) {
    outcome.stage = live->stage;
    outcome.alpha = live->seed->alpha;
    outcome.parameters = live->seed->parameter_count();
    outcome.enforced = live->mitigations;
  } else if (refused.refusal == CommandRefusal::none && command.kind != CommandKind::escape) {
    outcome.stage = bed_.stage_of(command.slot);
  }
  outcomes.push_back(std::move(outcome));
}

StepBoundary::Refused StepBoundary::carry_out(const AdaptationCommand& command,
                                              bool overhead_paused, Outcome& outcome,
                                              std::vector<Outcome>& outcomes) {
  if (settings_.mode != Mode::act) return {CommandRefusal::observe_only, "mode: observe"};
  const auto kind = command.kind;
  if (kind == CommandKind::escape) {
    escape_region(command.id.region);
    return {};
  }
  const auto group = bed_.group_of(command.slot);
  const auto& slots = host_.description().slots;
  if (group.empty() || slots[group.front().value].region != command.id.region)
    return {CommandRefusal::unknown_slot,
            "region " + std::to_string(command.id.region.value) + " has no such slot"};
  LiveSeed* live = bed_.find(command.seed);
  const bool on_slot = kind == CommandKind::germinate || kind == CommandKind::lift_embargo;
  if (!on_slot && (live == nullptr || live->slot() != group.front()))
    return {CommandRefusal::unknown_seed, "no such seed stands in this slot"};
  if (!on_slot && for_scaffolds(kind) && !live->scaffold())
    return {CommandRefusal::not_a_scaffold, live->seed->blueprint.name + " is a growth design"};
  if (kind == CommandKind::fossilise && live->scaffold())
    return {CommandRefusal::illegal_stage, "a scaffold leaves, it never fossilises"};
  const auto next = after(on_slot ? bed_.stage_of(group.front()) : live->stage, kind);
  if (!next) return {next.refusal(), "not from this stage"};
  // A reflex may have come between the verdict and the command.
  if ((kind == CommandKind::stabilise || kind == CommandKind::fossilise ||
       kind == CommandKind::fold) &&
      !at_full_alpha(live->ramp))
    return {CommandRefusal::illegal_stage, "its alpha is not at its target"};
  switch (kind) {
    case CommandKind::germinate:
      return germinate(command, overhead_paused);
    case CommandKind::lift_embargo:
      bed_.set_stage(group, Stage::dormant);
      return {};
    case CommandKind::graft:
      return graft(*live, command.mitigations);
    case CommandKind::advance:
      advance(live->ramp);
      live->silenced = false;
      return {};
    case CommandKind::hold:
      hold(live->ramp);
      return {};
    case CommandKind::stabilise:
      live->stage = Stage::stabilising;
      hold(live->ramp);
      break;
    case CommandKind::fossilise:
      fossilise(*live);
      break;
    case CommandKind::roll_back:
      roll_back(*live, outcome, outcomes);
      return {};
    case CommandKind::freeze:
    case CommandKind::fold:
    case CommandKind::wean:
    case CommandKind::sunset:
    case CommandKind::retire:
      return leave(*live, command, outcome);
    default:  // cull; escape is done
      outcome.parameters = live->seed->parameter_count();
      cull(live->seed->id);
      return {};
  }
  bed_.set_stage(live->seed->slots, live->stage);
  return {};
}

StepBoundary::Refused StepBoundary::germinate(const AdaptationCommand& command,
                                              bool overhead_paused) {
  const Blueprint* design = design_of(command);
  if (design == nullptr)
    return {CommandRefusal::unknown_blueprint, "no blueprint named " + command.blueprint};
  if (!usable_alpha_stages(command.mitigations.alpha_stages))
    return {CommandRefusal::fault, "alpha_stages must ascend within (0, 1]"};
  if (command.seed.value == 0 || bed_.find(command.seed) != nullptr)
    return {CommandRefusal::already_done, "a seed with this id stands already"};
  const auto group = bed_.group_of(command.slot);
  std::vector<SlotDescription> descriptions;
  for (const SlotId slot : group) descriptions.push_back(host_.description().slots[slot.value]);
  for (const SlotDescription& slot : descriptions)
    if (!fits(*design, slot))
      return {CommandRefusal::unknown_slot,
              design->name + " is built for another layout than " + slot.name + " has"};
  const auto added = footprint_of(*design, descriptions);
  Footprint present{.parameters = host_.description().parameters + bed_.parameters(),
                    .operations_per_sample = host_.description().operations + bed_.operations(),
                    .memory_bytes = 0,
                    .seeds = bed_.unfossilised()};
  present.memory_bytes = present.parameters * bytes_per_parameter;
  const auto verdict = within_limits(settings_.limits, present, added, overhead_paused);
  if (verdict.refusal != CommandRefusal::none) return {verdict.refusal, told(verdict)};

  auto live = std::make_unique<LiveSeed>();
  const auto ready = prepared_.find(command.id);
  live->seed = ready != prepared_.end() ? ready->second : build_seed(command, *design);
  live->region = command.id.region;
  live->mitigations = command.mitigations;
  live->ramp = alpha_ramp(command.mitigations.alpha_stages, settings_.time.window_steps);
  live->parameters = live->seed->parameters();
  live->operations = added.operations_per_sample;
  live->learning_rate = settings_.seeds.learning_rate * design->learning_rate_scale;
  live->optimizer = seed_optimizer(live->parameters, settings_.seeds, live->learning_rate,
                                   data_.learning_rate_ratio());
  for (std::size_t member = 0; member < group.size(); ++member) {
    Slot& slot = host_.slot(group[member].value);
    slot.plant(live->seed, member);
    live->slots.push_back(&slot);
  }
  bed_.set_stage(group, Stage::train_isolated);
  bed_.seeds().push_back(std::move(live));
  return {};
}

StepBoundary::Refused StepBoundary::graft(LiveSeed& live, const Mitigations& mitigations) {
  const auto& asked = mitigations.alpha_stages.empty() ? live.mitigations : mitigations;
  if (!usable_alpha_stages(asked.alpha_stages))
    return {CommandRefusal::fault, "alpha_stages must ascend within (0, 1]"};
  live.average.settle(live.parameters);
  live.checkpoint = take_checkpoint(host_, optimizer_, bed_, data_, history_, ++memory_.grafts);
  live.mitigations = Mitigations(asked);
  live.ramp = alpha_ramp(live.mitigations.alpha_stages, settings_.time.window_steps);
  advance(live.ramp);
  live.stage = Stage::grafting;
  live.silenced = false;
  const auto mode = live.scaffold() ? SlotMode::attached : SlotMode::blended;
  for (Slot* slot : live.slots) slot->set_mode(mode);
  bed_.set_stage(live.seed->slots, live.stage);
  return {};
}

void StepBoundary::fossilise(LiveSeed& live) {
  host_.adopt(*live.seed);
  pass(Failpoint::fossilise);
  move_parameters(*live.optimizer, optimizer_, live.parameters,
                  optimizer_.param_groups().front().options().clone());
  live.optimizer.reset();
  live.checkpoint.reset();
  live.stage = Stage::fossilised;
  for (Slot* slot : live.slots) slot->set_mode(SlotMode::fossilised);
  ++history_.structure;
}

StepBoundary::Refused StepBoundary::leave(LiveSeed& live, const AdaptationCommand& command,
                                          Outcome& outcome) {
  switch (command.kind) {
    case CommandKind::freeze:
      for (const auto& module : live.seed->modules) module->freeze();
      return {};
    case CommandKind::fold:
      return fold(live, outcome);
    case CommandKind::wean:
      wean(live, command.mitigations);
      return {};
    case CommandKind::sunset:
      if (live.seed->alpha != 0) return {CommandRefusal::illegal_stage, "its alpha is not 0"};
      begin_sunset(live);
      return {};
    default:  // retire
      outcome.parameters = live.seed->parameter_count();
      bed_.remove(live.seed->id, Stage::dormant);
      return {};
  }
}

StepBoundary::Refused StepBoundary::fold(LiveSeed& live, Outcome& outcome) {
  for (const auto& module : live.seed->modules)
    if (!module->frozen())
      return {CommandRefusal::illegal_stage, "its statistics are not frozen yet"};
  const auto folding = fold_into_host(host_, bed_, live, data_, settings_.time.verdict_samples,
                                      settings_.scaffolds.fold_change_max);
  gate_operations_ += folding.operations;
  outcome.output_change = folding.output_change;
  if (folding.refusal != CommandRefusal::none) return {folding.refusal, folding.detail};
  ++history_.structure;
  begin_sunset(live);
  return {};
}

/// A weaning command's weights take over from the graft's; its ramp goes down as it came up.
void StepBoundary::wean(LiveSeed& live, const Mitigations& mitigations) {
  if (!mitigations.alpha_stages.empty()) {
    live.mitigations.knowledge_distillation_weight = mitigations.knowledge_distillation_weight;
    live.mitigations.anchor_weight = mitigations.anchor_weight;
  }
  if (!live.lesson) {
    live.lesson = std::make_shared<WeaningLesson>(host_, bed_, live.region);
    ++history_.structure;
  }
  descend(live.ramp);
  live.stage = Stage::weaning;
  bed_.set_stage(live.seed->slots, live.stage);
}

/// The slot gives the host's own tensor; the seed stands in it until it retires.
void StepBoundary::begin_sunset(LiveSeed& live) {
  live.escape_to_zero();
  live.stage = Stage::sunset;
  live.lesson.reset();
  live.checkpoint.reset();
  for (Slot* slot : live.slots) slot->set_mode(SlotMode::isolated);
  bed_.set_stage(live.seed->slots, live.stage);
}

void StepBoundary::roll_back(LiveSeed& live, Outcome& outcome, std::vector<Outcome>& outcomes) {
  const SeedId seed = live.seed->id;
  const auto checkpoint = live.checkpoint;
  outcome.parameters = live.seed->parameter_count();
  // A seed that fossilised or was folded since is part of the host, and a host that is being weaned
  // has lost what it leant on: what was before cannot come back. Its own weaning ends here.
  const std::uint64_t structure = history_.structure;
  const std::uint64_t own = live.lesson ? 1 : 0;
  const bool whole = checkpoint && checkpoint->history.structure + own == structure;
  cull(seed);
  if (!whole) {
    outcome.detail = "the host's structure has changed since the graft: culled without restoring";
    return;
  }
  history_ = restore_checkpoint(*checkpoint, bed_, data_);
  history_.structure = structure;
  outcome.detail = "restored step " + std::to_string(history_.step.value);
  // What was grafted since ramped on a history that is gone, and so is its own checkpoint.
  for (const auto& other : bed_.seeds()) {
    if (!other->on_graph() || !other->checkpoint || other->checkpoint->graft <= checkpoint->graft)
      continue;
    other->checkpoint.reset();
    other->escape_to_zero();
    outcomes.push_back(reflex_outcome(*other, "rolled_back"));
  }
}

void StepBoundary::cull(SeedId seed) { bed_.remove(seed); }

}  // namespace esper
