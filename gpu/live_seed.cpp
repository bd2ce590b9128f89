#include "gpu/live_seed.hpp"

#include <algorithm>

namespace esper {

SeedBed::SeedBed(HostModel& host)
    : host_(host), stages_(host.description().slots.size(), Stage::dormant) {}

LiveSeed* SeedBed::find(SeedId seed) {
  for (const auto& live : seeds_)
    if (live->seed->id == seed) return live.get();
  return nullptr;
}

std::vector<SlotId> SeedBed::group_of(SlotId slot) const {
  const auto& slots = host_.description().slots;
  if (slot.value >= slots.size()) return {};
  const auto& asked = slots[slot.value];
  if (asked.group.empty()) return {slot};
  std::vector<SlotId> group;
  for (std::uint32_t index = 0; index < slots.size(); ++index)
    if (slots[index].group == asked.group && slots[index].region == asked.region)
      group.push_back({index});
  return group;
}

void SeedBed::set_stage(const std::vector<SlotId>& slots, Stage stage) {
  for (const SlotId slot : slots) stages_.at(slot.value) = stage;
}

void SeedBed::remove(SeedId seed, Stage left) {
  const auto found = std::find_if(seeds_.begin(), seeds_.end(),
                                  [&](const auto& live) { return live->seed->id == seed; });
  if (found == seeds_.end()) return;
  for (Slot* slot : (*found)->slots) slot->clear();
  set_stage((*found)->seed->slots, left);
  seeds_.erase(found);
}

std::vector<SeedStatus> SeedBed::status() const {
  std::vector<SeedStatus> all;
  for (const auto& live : seeds_) {
    SeedStatus status;
    status.seed = live->seed->id;
    status.region = live->region;
    status.slot = live->slot();
    status.blueprint = live->seed->blueprint.name;
    status.stage = live->stage;
    status.alpha = live->seed->alpha;
    status.alpha_stage = live->ramp.stages_begun;
    status.parameters = live->seed->parameter_count();
    status.mitigations = live->mitigations;
    all.push_back(std::move(status));
  }
  return all;
}

std::uint32_t SeedBed::unfossilised() const {
  return static_cast<std::uint32_t>(std::count_if(
      seeds_.begin(), seeds_.end(), [](const auto& live) { return !live->fossilised(); }));
}

std::uint64_t SeedBed::fossilised_operations() const {
  std::uint64_t sum = 0;
  for (const auto& live : seeds_)
    if (live->fossilised()) sum += live->operations;
  return sum;
}

std::uint64_t SeedBed::parameters() const {
  std::uint64_t sum = 0;
  for (const auto& live : seeds_) sum += live->seed->parameter_count();
  return sum;
}

std::uint64_t SeedBed::operations() const {
  std::uint64_t sum = 0;
  for (const auto& live : seeds_) sum += live->operations;
  return sum;
}

bool SeedBed::any_touches_host() const {
  return std::any_of(seeds_.begin(), seeds_.end(),
                     [](const auto& live) { return live->touches_host(); });
}

}  // namespace esper
