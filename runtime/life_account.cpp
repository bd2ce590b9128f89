#include "runtime/life_account.hpp"

#include <algorithm>

#include "runtime/journal_kinds.hpp"

namespace esper {
namespace {

LifeAccount* find_in(std::vector<LifeAccount>& lives, SeedId seed, const std::string& region) {
  const auto found = std::find_if(lives.rbegin(), lives.rend(), [&](const LifeAccount& life) {
    return life.seed == seed && life.region == region;
  });
  return found == lives.rend() ? nullptr : &*found;
}

}  // namespace

void LifeAccountant::take(const JournalEntry& entry) {
  window_ = entry.window;
  visit_payload<HostDescription>(entry, [&](const auto& host) { host_ = host; });
  visit_payload<Catalogue>(entry, [&](const auto& catalogue) { catalogue_ = catalogue; });
  visit_payload<AdaptationCommand>(entry, [&](const auto& given) { command(given); });
  visit_payload<Outcome>(entry, [&](const auto& happened) { outcome(happened); });
  visit_payload<RegionTelemetry>(entry, [&](const auto& seen) { telemetry(seen); });
  visit_payload<GateVerdict>(entry, [&](const auto& verdict) {
    if (verdict.seed.value == 0) return;
    const std::string region = region_name(entry.region);
    LifeAccount* life = find(verdict.seed, region);
    if (life == nullptr) life = find_in(germinating_, verdict.seed, region);
    if (life != nullptr)
      life->gates.push_back(
          {window_, verdict.gate, verdict.passed, verdict.measured, verdict.threshold});
  });
}

void LifeAccountant::command(const AdaptationCommand& command) {
  if (command.kind != CommandKind::germinate) return;
  const auto design =
      std::find_if(catalogue_.blueprints.begin(), catalogue_.blueprints.end(),
                   [&](const Blueprint& one) { return one.name == command.blueprint; });
  LifeAccount life;
  life.seed = command.seed;
  life.region = region_name(command.id.region);
  life.slot = command.slot.value < host_.slots.size() ? host_.slots[command.slot.value].name
                                                      : std::to_string(command.slot.value);
  life.blueprint = command.blueprint;
  life.scaffold =
      design != catalogue_.blueprints.end() && design->blueprint_class == BlueprintClass::scaffold;
  germinating_.push_back(std::move(life));
}

void LifeAccountant::outcome(const Outcome& outcome) {
  if (outcome.refusal != CommandRefusal::none || outcome.seed.value == 0) return;
  const std::string region = region_name(outcome.region);
  LifeAccount* life = find(outcome.seed, region);
  if (life == nullptr) {
    const auto waiting = find_in(germinating_, outcome.seed, region);
    if (waiting == nullptr) return;
    lives_.push_back(std::move(*waiting));
    germinating_.erase(germinating_.begin() + (waiting - germinating_.data()));
    life = &lives_.back();
  }
  if (outcome.parameters > 0 && life->parameters == 0) life->parameters = outcome.parameters;
  life->reflex = life->reflex || outcome.reflex;
  const bool gone = outcome.stage == Stage::embargoed || outcome.stage == Stage::dormant;
  const std::string_view left = outcome.kind == CommandKind::retire ? "retired" : "culled";
  enter(*life, gone ? left : name_of(outcome.stage), gone ? 0 : outcome.alpha);
}

/// An escape of a whole region names no seed: the telemetry of the next window shows it.
void LifeAccountant::telemetry(const RegionTelemetry& seen) {
  for (const SeedTelemetry& seed : seen.seeds) {
    LifeAccount* life = find(seed.seed, region_name(seen.region));
    if (life == nullptr || life->stages.empty()) continue;
    // Telemetry stands before the same window's outcomes, whose changes it shows already.
    if (life->stages.back().stage == name_of(seed.stage))
      enter(*life, name_of(seed.stage), seed.alpha);
  }
}

void LifeAccountant::enter(LifeAccount& life, std::string_view stage, double alpha) const {
  if (!life.stages.empty()) {
    StageAccount& last = life.stages.back();
    if (last.stage == stage && last.alpha == alpha) return;
    if (last.window == window_) {  // several commands at one boundary: where they led
      last.stage = stage;
      last.alpha = alpha;
      return;
    }
  }
  life.stages.push_back({window_, std::string{stage}, alpha});
}

LifeAccount* LifeAccountant::find(SeedId seed, const std::string& region) {
  return find_in(lives_, seed, region);
}

std::string LifeAccountant::region_name(RegionId region) const {
  return region.value < host_.regions.size() ? host_.regions[region.value].name
                                             : std::to_string(region.value);
}

}  // namespace esper
