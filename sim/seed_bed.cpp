#include "sim/seed_bed.hpp"

#include <algorithm>

#include "actors/decisions/blueprint_catalogue.hpp"
#include "actors/decisions/lifecycle.hpp"
#include "actors/decisions/limits.hpp"
#include "actors/decisions/random.hpp"

namespace esper::sim {

namespace {

constexpr std::uint64_t bytes_per_parameter = 16;

bool for_scaffolds(CommandKind kind) {
  return kind == CommandKind::freeze || kind == CommandKind::fold || kind == CommandKind::wean ||
         kind == CommandKind::sunset || kind == CommandKind::retire;
}

bool touches(const SimulatedSeed& seed) { return on_graph(seed.stage) && seed.ramp.alpha > 0; }

/// Good more often than not; now and then harmful, or one that shakes its region.
void draw_character(SimulatedSeed& seed, std::uint64_t run_seed) {
  RandomStream stream(run_seed, "sim.seed", seed.seed.value);
  const double drawn = stream.uniform();
  const std::uint64_t kind = stream.below(12);
  seed.gain = 0.01 + 0.05 * drawn;
  if (kind == 0) seed.gain = -0.02 - 0.02 * drawn;
  if (kind == 1) seed.gain = -0.15;
  seed.shakes = kind == 2 && !seed.scaffold;
  if (seed.scaffold) seed.gain = kind < 6 ? 0.03 : 0.001;
}

}  // namespace

SeedBed::SeedBed(const RunConfig& config, const HostDescription& host, const Catalogue& catalogue)
    : config_(config),
      host_(host),
      catalogue_(catalogue),
      marks_(host.regions.size()),
      fences_(host.regions.size()),
      absorbed_(host.regions.size()),
      stages_(host.slots.size(), Stage::dormant) {}

void SeedBed::fence(RegionId region, Epoch epoch) {
  if (region.value >= fences_.size()) return;
  fences_[region.value] = std::max(fences_[region.value], epoch);
}

SimulatedSeed* SeedBed::find(SeedId seed) {
  for (auto& one : seeds_)
    if (one.seed == seed) return &one;
  return nullptr;
}

void SeedBed::apply(const AdaptationCommand& command, Window boundary, Step step,
                    bool overhead_paused, std::vector<Outcome>& outcomes) {
  Outcome outcome = outcome_of(command);
  outcome.step = step;
  if (command.slot.value < stages_.size()) outcome.stage = stages_[command.slot.value];
  auto& mark = marks_.at(command.id.region.value);
  const auto admission = admit(command, boundary, fence_of(command.id.region), mark);
  outcome.refusal = admission.refusal;
  outcome.detail = admission.detail;
  if (admission.refusal != CommandRefusal::old_epoch) fence(command.id.region, command.id.epoch);
  if (outcome.refusal == CommandRefusal::none)
    outcome.refusal = carry_out(command, overhead_paused, step, outcome, outcomes);
  if (outcome.refusal == CommandRefusal::none) count_in(mark, command);
  if (const auto* seed = find(command.seed)) {
    outcome.stage = seed->stage;
    outcome.alpha = seed->ramp.alpha;
    outcome.parameters = seed->parameters;
    outcome.enforced = seed->mitigations;
  } else if (outcome.refusal == CommandRefusal::none && command.kind != CommandKind::escape) {
    outcome.stage = stages_[command.slot.value];
  }
  outcomes.push_back(std::move(outcome));
}

CommandRefusal SeedBed::carry_out(const AdaptationCommand& command, bool overhead_paused, Step step,
                                  Outcome& outcome, std::vector<Outcome>& outcomes) {
  const auto kind = command.kind;
  if (kind == CommandKind::escape) {
    for (auto& seed : seeds_)
      if (seed.region == command.id.region && on_graph(seed.stage)) escape(seed.ramp);
    return CommandRefusal::none;
  }
  if (command.slot.value >= stages_.size() ||
      host_.slots[command.slot.value].region != command.id.region)
    return CommandRefusal::unknown_slot;
  SimulatedSeed* seed = find(command.seed);
  const bool on_slot = kind == CommandKind::germinate || kind == CommandKind::lift_embargo;
  if (!on_slot && (seed == nullptr || seed->slot != command.slot))
    return CommandRefusal::unknown_seed;
  if (!on_slot && for_scaffolds(kind) && !seed->scaffold) return CommandRefusal::not_a_scaffold;
  if (kind == CommandKind::fossilise && seed->scaffold) return CommandRefusal::illegal_stage;
  const auto next = after(on_slot ? stages_[command.slot.value] : seed->stage, kind);
  if (!next) return next.refusal();
  if ((kind == CommandKind::stabilise || kind == CommandKind::fossilise ||
       kind == CommandKind::fold) &&
      !at_full_alpha(seed->ramp))
    return CommandRefusal::illegal_stage;
  switch (kind) {
    case CommandKind::germinate:
      return germinate(command, overhead_paused);
    case CommandKind::lift_embargo:
      stages_[command.slot.value] = Stage::dormant;
      return CommandRefusal::none;
    case CommandKind::graft:
      graft(*seed, command.mitigations);
      return CommandRefusal::none;
    case CommandKind::advance:
      advance(seed->ramp);
      return CommandRefusal::none;
    case CommandKind::hold:
      hold(seed->ramp);
      return CommandRefusal::none;
    case CommandKind::stabilise:
      hold(seed->ramp);
      break;
    case CommandKind::fossilise:
      ++structure_;
      break;
    case CommandKind::roll_back:
      roll_back(*seed, step, outcome, outcomes);
      return CommandRefusal::none;
    case CommandKind::cull:
      outcome.parameters = seed->parameters;
      remove(seed->seed, Stage::embargoed);
      return CommandRefusal::none;
    default:
      return leave(*seed, command, outcome);
  }
  seed->stage = stages_[command.slot.value] = next.value();
  return CommandRefusal::none;
}

CommandRefusal SeedBed::germinate(const AdaptationCommand& command, bool overhead_paused) {
  const auto design =
      std::find_if(catalogue_.blueprints.begin(), catalogue_.blueprints.end(),
                   [&](const auto& known) { return known.name == command.blueprint; });
  if (design == catalogue_.blueprints.end()) return CommandRefusal::unknown_blueprint;
  if (!usable_alpha_stages(command.mitigations.alpha_stages)) return CommandRefusal::fault;
  if (command.seed.value == 0 || find(command.seed) != nullptr) return CommandRefusal::already_done;
  SimulatedSeed seed;
  seed.seed = command.seed;
  seed.region = command.id.region;
  seed.slot = command.slot;
  seed.blueprint = command.blueprint;
  seed.scaffold = design->blueprint_class == BlueprintClass::scaffold;
  for (const auto& sheet : catalogue_.sheets)
    if (sheet.blueprint == command.blueprint && sheet.slot == command.slot) {
      seed.parameters = sheet.parameters;
      seed.operations = sheet.operations;
    }
  Footprint present{.parameters = host_.parameters,
                    .operations_per_sample = host_.operations,
                    .memory_bytes = 0,
                    .seeds = 0};
  for (const auto& other : seeds_) {
    present.parameters += other.parameters;
    present.operations_per_sample += other.operations;
    present.seeds += other.stage != Stage::fossilised;
  }
  present.memory_bytes = present.parameters * bytes_per_parameter;
  const Footprint added{.parameters = seed.parameters,
                        .operations_per_sample = seed.operations,
                        .memory_bytes = seed.parameters * bytes_per_parameter,
                        .seeds = 1};
  const auto verdict = within_limits(config_.limits, present, added, overhead_paused);
  if (verdict.refusal != CommandRefusal::none) return verdict.refusal;
  seed.mitigations = command.mitigations;
  seed.ramp = alpha_ramp(command.mitigations.alpha_stages, config_.time.window_steps);
  draw_character(seed, config_.seed);
  stages_[command.slot.value] = Stage::train_isolated;
  seeds_.push_back(std::move(seed));
  return CommandRefusal::none;
}

void SeedBed::graft(SimulatedSeed& seed, const Mitigations& mitigations) {
  if (!mitigations.alpha_stages.empty()) seed.mitigations = mitigations;
  seed.graft = ++grafts_;
  seed.structure = structure_;
  seed.ramp = alpha_ramp(seed.mitigations.alpha_stages, config_.time.window_steps);
  advance(seed.ramp);
  seed.stage = stages_[seed.slot.value] = Stage::grafting;
}

CommandRefusal SeedBed::leave(SimulatedSeed& seed, const AdaptationCommand& command,
                              Outcome& outcome) {
  const auto go = [&](Stage stage) { seed.stage = stages_[seed.slot.value] = stage; };
  switch (command.kind) {
    case CommandKind::freeze:
      seed.frozen = true;
      return CommandRefusal::none;
    case CommandKind::fold: {
      if (!seed.frozen) return CommandRefusal::illegal_stage;
      const auto design =
          std::find_if(catalogue_.blueprints.begin(), catalogue_.blueprints.end(),
                       [&](const auto& known) { return known.name == seed.blueprint; });
      if (!foldable(design->kind, host_.slots[seed.slot.value].kind))
        return CommandRefusal::not_foldable;
      RandomStream stream(config_.seed, "sim.fold", seed.seed.value);
      outcome.output_change = stream.below(5) == 0 ? 1e-3 : 1e-7;
      if (outcome.output_change > config_.scaffolds.fold_change_max)
        return CommandRefusal::output_changed;
      ++structure_;
      absorbed_[seed.region.value] += seed.ramp.alpha * seed.gain;
      escape(seed.ramp);
      go(Stage::sunset);
      return CommandRefusal::none;
    }
    case CommandKind::wean:
      if (seed.stage != Stage::weaning) ++structure_;
      descend(seed.ramp);
      go(Stage::weaning);
      return CommandRefusal::none;
    case CommandKind::sunset:
      if (seed.ramp.alpha != 0) return CommandRefusal::illegal_stage;
      escape(seed.ramp);
      go(Stage::sunset);
      return CommandRefusal::none;
    default:  // retire
      outcome.parameters = seed.parameters;
      remove(seed.seed, Stage::dormant);
      return CommandRefusal::none;
  }
}

void SeedBed::roll_back(SimulatedSeed& seed, Step step, Outcome& outcome,
                        std::vector<Outcome>& outcomes) {
  outcome.parameters = seed.parameters;
  const std::uint64_t graft = seed.graft;
  const bool whole = graft > 0 && seed.structure == structure_;
  remove(seed.seed, Stage::embargoed);
  if (!whole) {
    outcome.detail = "the host's structure has changed since the graft: culled without restoring";
    return;
  }
  // What was grafted since ramped on a history that is gone.
  for (auto& other : seeds_) {
    if (!on_graph(other.stage) || other.graft <= graft) continue;
    other.graft = 0;
    escape(other.ramp);
    outcomes.push_back(reflex_outcome(other, "rolled_back", step));
  }
}

void SeedBed::remove(SeedId seed, Stage left_behind) {
  std::erase_if(seeds_, [&](const SimulatedSeed& one) {
    if (one.seed != seed) return false;
    stages_[one.slot.value] = left_behind;
    return true;
  });
}

Outcome SeedBed::reflex_outcome(const SimulatedSeed& seed, const std::string& cause,
                                Step step) const {
  Outcome outcome;
  outcome.kind = CommandKind::escape;
  outcome.region = seed.region;
  outcome.slot = seed.slot;
  outcome.seed = seed.seed;
  outcome.stage = seed.stage;
  outcome.enforced = seed.mitigations;
  outcome.parameters = seed.parameters;
  outcome.reflex = true;
  outcome.cause = cause;
  outcome.step = step;
  return outcome;
}

bool SeedBed::escape_by_reflex(const std::string& cause, Step step,
                               std::vector<Outcome>& outcomes) {
  bool any = false;
  for (auto& seed : seeds_) {
    if (!touches(seed)) continue;
    escape(seed.ramp);
    outcomes.push_back(reflex_outcome(seed, cause, step));
    any = true;
  }
  return any;
}

void SeedBed::take_step(bool overhead_paused) {
  for (auto& seed : seeds_) {
    if (on_graph(seed.stage)) esper::take_step(seed.ramp);
    const bool learns = on_graph(seed.stage)
                            ? seed.ramp.alpha > 0
                            : seed.stage == Stage::train_isolated && !overhead_paused;
    seed.updates += learns ? 1 : 0;
  }
}

std::vector<SeedStatus> SeedBed::status() const {
  std::vector<SeedStatus> all;
  for (const auto& seed : seeds_)
    all.push_back({seed.seed, seed.region, seed.slot, seed.blueprint, seed.stage, seed.ramp.alpha,
                   seed.ramp.stages_begun, seed.parameters, seed.mitigations});
  return all;
}

double SeedBed::saved(RegionId region) const {
  double sum = absorbed_.at(region.value);
  for (const auto& seed : seeds_)
    if (seed.region == region) sum += seed.ramp.alpha * seed.gain;
  return sum;
}

double SeedBed::saved() const {
  double sum = 0;
  for (std::uint32_t region = 0; region < absorbed_.size(); ++region) sum += saved({region});
  return sum;
}

bool SeedBed::helped(RegionId region) const {
  return std::any_of(seeds_.begin(), seeds_.end(), [&](const auto& seed) {
    return seed.region == region && seed.scaffold && touches(seed) && seed.ramp.alpha >= 0.5;
  });
}

bool SeedBed::shaken(RegionId region) const {
  return std::any_of(seeds_.begin(), seeds_.end(), [&](const auto& seed) {
    return seed.region == region && seed.shakes && touches(seed) && seed.ramp.alpha >= 0.5;
  });
}

bool SeedBed::touches_host(RegionId region) const {
  return std::any_of(seeds_.begin(), seeds_.end(),
                     [&](const auto& seed) { return seed.region == region && touches(seed); });
}

std::vector<SeedTelemetry> SeedBed::tell(RegionId region, double loss) const {
  std::vector<SeedTelemetry> told;
  for (const auto& seed : seeds_) {
    if (seed.region != region || seed.stage == Stage::fossilised) continue;
    SeedTelemetry seen;
    seen.seed = seed.seed;
    seen.slot = seed.slot;
    seen.stage = seed.stage;
    seen.alpha = seed.ramp.alpha;
    seen.updates = seed.updates;
    seen.relative_norm = 0.3;
    seen.gradient_norm = 0.1;
    const bool isolated = seed.stage == Stage::train_isolated;
    const double alpha = isolated ? 1 : seed.ramp.alpha;
    seen.gate.measured = true;
    seen.gate.finite = true;
    seen.gate.samples = config_.time.gate_samples;
    seen.gate.loss_without = isolated ? loss : loss + alpha * seed.gain;
    seen.gate.loss_with = seen.gate.loss_joint = seen.gate.loss_without - alpha * seed.gain;
    told.push_back(seen);
  }
  return told;
}

void SeedBed::resized(std::uint64_t parameters, std::uint64_t operations) {
  host_.parameters = parameters;
  host_.operations = operations;
}

}  // namespace esper::sim
