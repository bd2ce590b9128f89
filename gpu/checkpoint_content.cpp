#include "gpu/checkpoint_content.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include "gpu/checkpoint_parts.hpp"
#include "gpu/weaning.hpp"

namespace esper {

namespace {

using torch::Tensor;
using Names = std::map<const at::TensorImpl*, std::string>;

void copy_live(CheckpointContent& content, const std::vector<Part>& parts) {
  for (const Part& part : parts)
    if (const Tensor value = part.read(); value.defined())
      content.tensors.push_back({part.name, value.clone(at::MemoryFormat::Contiguous)});
}

/// What a snapshot holds never changes: shared with it.
void share_held(CheckpointContent& content, const std::string& prefix,
                const std::vector<Part>& parts, const Snapshot& snapshot) {
  for (const Part& part : parts)
    if (const Tensor value = part.read(snapshot); value.defined())
      content.tensors.push_back({prefix + part.name, value.contiguous()});
}

HistoryRecord record_of(const SurvivingHistory& history) {
  return {history.step, history.reflex.history(), history.structure};
}

/// Whose fossilising made the group; 0: the loop's own.
SeedId maker_of(const torch::optim::OptimizerParamGroup& group, const SeedBed& bed) {
  for (const auto& live : bed.seeds())
    if (live->fossilised() && !live->parameters.empty() && !group.params().empty() &&
        live->parameters.front().is_same(group.params().front()))
      return live->seed->id;
  return {};
}

std::vector<GroupRecord> records_of(const std::vector<torch::optim::OptimizerParamGroup>& groups,
                                    const SeedBed& bed) {
  std::vector<GroupRecord> records;
  for (const auto& group : groups) {
    const auto& options = static_cast<const torch::optim::AdamWOptions&>(group.options());
    const auto [first, second] = options.betas();
    records.push_back({.seed = maker_of(group, bed),
                       .parameters = group.params().size(),
                       .learning_rate = options.lr(),
                       .beta_first = first,
                       .beta_second = second,
                       .epsilon = options.eps(),
                       .weight_decay = options.weight_decay(),
                       .amsgrad = options.amsgrad()});
  }
  return records;
}

/// Restored is a hot checkpoint only while the structure stands that it was taken of, and once that
/// has changed it never stands again (StepBoundary::roll_back).
HotRecord take_hot(CheckpointContent& content, const LiveSeed& owner, const std::vector<Part>& host,
                   torch::optim::Optimizer& optimizer, const SeedBed& bed,
                   std::uint64_t structure) {
  const GraftCheckpoint& checkpoint = *owner.checkpoint;
  HotRecord record;
  record.graft = checkpoint.graft;
  record.history = record_of(checkpoint.history);
  record.whole = checkpoint.history.structure + (owner.lesson ? 1 : 0) == structure;
  if (!record.whole) return record;
  const std::string prefix = "hot." + std::to_string(owner.seed->id.value) + ".";
  record.groups = records_of(checkpoint.host.groups_of(optimizer), bed);
  record.position = checkpoint.position;
  share_held(content, prefix, host, checkpoint.host);
  for (const auto& saved : checkpoint.seeds)
    for (const auto& live : bed.seeds()) {
      // Who rolls back is culled first.
      if (live->seed->id != saved.seed || live.get() == &owner) continue;
      record.seeds.push_back({saved.seed, saved.updates});
      share_held(content, prefix, seed_parts(*live), saved.state);
    }
  return record;
}

/// What a seed that has been culled since taught or was pulled to touches nothing any more.
LessonRecord take_lesson(CheckpointContent& content, const LiveSeed& owner, const Names& names) {
  LessonRecord record;
  record.standing = owner.lesson->standing();
  const std::string prefix = "lesson." + std::to_string(owner.seed->id.value) + ".";
  const auto take = [&](const std::vector<WeaningLesson::Pair>& pairs, const std::string& kind,
                        std::vector<std::string>& into) {
    for (const auto& [live, value] : pairs) {
      const auto name = names.find(live.unsafeGetTensorImpl());
      if (name == names.end()) continue;
      into.push_back(name->second);
      content.tensors.push_back({prefix + kind + name->second, value.clone()});
    }
  };
  take(owner.lesson->taught(), "teacher.", record.taught);
  take(owner.lesson->anchors(), "anchor.", record.anchors);
  return record;
}

SeedRecord record_of(const LiveSeed& live) {
  SeedRecord record;
  record.seed = live.seed->id;
  record.region = live.region;
  record.blueprint = live.seed->blueprint;
  record.slots = live.seed->slots;
  record.born_channels = live.seed->born_channels;
  record.stage = live.stage;
  record.alpha = live.seed->alpha;
  record.ramp = live.ramp;
  record.mitigations = live.mitigations;
  record.updates = live.updates;
  record.learning_rate = live.learning_rate;
  record.operations = live.operations;
  record.relative_norm = live.relative_norm;
  record.gradient_norm = live.gradient_norm;
  record.non_finite = live.non_finite;
  record.silenced = live.silenced;
  record.frozen = live.seed->modules.front()->frozen();
  record.gate = live.gate;
  record.averaged = live.average.tensors().size();
  return record;
}

}  // namespace

CheckpointContent take_content(HostModel& host, torch::optim::Optimizer& optimizer,
                               const SeedBed& bed, const SessionData& data,
                               const SurvivingHistory& history) {
  const torch::NoGradGuard no_graph;
  CheckpointContent content;
  auto& manifest = content.manifest;
  manifest.torch_version = TORCH_VERSION;
  manifest.processor = at::get_cpu_capability();
  manifest.threads = static_cast<std::uint32_t>(at::get_num_threads());
  manifest.host = host.description();
  manifest.groups = records_of(optimizer.param_groups(), bed);
  for (std::uint32_t slot = 0; slot < host.description().slots.size(); ++slot)
    manifest.stages.push_back(bed.stage_of({slot}));
  manifest.history = record_of(history);
  if (data.position) manifest.position = data.position();
  if (data.memory) manifest.loop = data.memory();
  manifest.loop_generators = data.generators.size();
  const auto host_places = host_parts(host, optimizer, bed, data);
  copy_live(content, host_places);
  Names names = names_of(host_places);
  for (const auto& live : bed.seeds()) {
    if (live->fossilised()) continue;
    const auto places = seed_parts(*live);
    copy_live(content, places);
    names.merge(names_of(places));
  }
  for (const auto& live : bed.seeds()) {
    auto& record = manifest.seeds.emplace_back(record_of(*live));
    if (live->checkpoint)
      record.hot = take_hot(content, *live, host_places, optimizer, bed, history.structure);
    if (live->lesson) record.lesson = take_lesson(content, *live, names);
  }
  return content;
}

}  // namespace esper
