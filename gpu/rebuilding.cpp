#include "gpu/rebuilding.hpp"

#include <algorithm>
#include <set>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include "gpu/checkpoint_parts.hpp"
#include "gpu/layer_options.hpp"
#include "gpu/seed_training.hpp"
#include "gpu/weaning.hpp"

namespace esper {

namespace {

using torch::Tensor;

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error(why); }

template <typename T>
void refuse_unless_same(const char* what, const T& there, const T& here) {
  if (there == here) return;
  std::ostringstream why;
  why << "was written with " << what << " " << there << ", here it is " << here
      << ": go on with that one";
  refuse(why.str());
}

/// By what no surgery changes.
bool same_host(const HostDescription& a, const HostDescription& b) {
  const auto equal = [](const auto& some, const auto& others, const auto& same) {
    return std::equal(some.begin(), some.end(), others.begin(), others.end(), same);
  };
  const auto by_name = [](const auto& one, const auto& other) { return one.name == other.name; };
  return a.name == b.name && equal(a.tensors, b.tensors, by_name) &&
         equal(a.coupled_groups, b.coupled_groups, by_name) &&
         equal(a.residual_layers, b.residual_layers, by_name) &&
         equal(a.regions, b.regions,
               [](const auto& one, const auto& other) {
                 return one.name == other.name &&
                        one.parameter_prefixes == other.parameter_prefixes;
               }) &&
         equal(a.slots, b.slots, [](const auto& one, const auto& other) {
           return one.name == other.name && one.region == other.region && one.kind == other.kind &&
                  one.group == other.group;
         });
}

/// A checkpoint's tensors by name, each taken once.
class SavedTensors {
 public:
  explicit SavedTensors(const CheckpointContent& content) {
    for (const auto& [name, tensor] : content.tensors) saved_.emplace(name, tensor);
  }
  /// Undefined: there is none.
  [[nodiscard]] Tensor take(const std::string& name) {
    const auto found = saved_.find(name);
    if (found == saved_.end()) return {};
    taken_.insert(name);
    return found->second;
  }
  [[nodiscard]] Tensor need(const std::string& name) {
    Tensor tensor = take(name);
    if (!tensor.defined()) refuse("has no tensor " + name + ": it is of another host or build");
    return tensor;
  }
  void refuse_leftovers() const {
    for (const auto& [name, tensor] : saved_)
      if (!taken_.contains(name))
        refuse("holds the tensor " + name +
               ", which has no place here: it is of another host or build");
  }

 private:
  std::map<std::string, Tensor> saved_;
  std::set<std::string> taken_;
};

void write_checked(const Part& part, const Tensor& value) {
  if (const auto* live = std::get_if<Tensor>(&part.place);
      live != nullptr && (live->scalar_type() != value.scalar_type() || live->dim() != value.dim()))
    refuse("has " + part.name + " of another kind: it is of another host or build");
  part.write(value);
}

/// Parts stand as saved; moments that are not saved are none. `optimizer`: whose moments they are.
void stand(const std::vector<Part>& parts, torch::optim::Optimizer& optimizer,
           SavedTensors& saved) {
  optimizer.state().clear();
  for (const Part& part : parts) {
    const bool moment = std::holds_alternative<MomentPlace>(part.place);
    if (const Tensor value = moment ? saved.take(part.name) : saved.need(part.name);
        value.defined())
      write_checked(part, value);
  }
}

/// The same as at a graft, for a hot checkpoint: of those tensors alone that it holds, which are
/// returned.
std::vector<Tensor> stand_as_held(const std::vector<Part>& parts, const std::string& prefix,
                                  torch::optim::Optimizer& optimizer, SavedTensors& saved) {
  optimizer.state().clear();
  std::vector<Tensor> held;
  for (const Part& part : parts) {
    const Tensor value = saved.take(prefix + part.name);
    if (!value.defined()) continue;
    write_checked(part, value);
    if (const auto* live = std::get_if<Tensor>(&part.place)) held.push_back(*live);
  }
  return held;
}

void set_options(torch::optim::Optimizer& optimizer, const std::vector<GroupRecord>& records) {
  auto& groups = optimizer.param_groups();
  if (groups.size() != records.size())
    refuse("has " + std::to_string(records.size()) + " parameter groups, the loop's optimizer " +
           std::to_string(groups.size()) + ": make it as at the run's beginning");
  for (std::size_t i = 0; i < records.size(); ++i) {
    const GroupRecord& record = records[i];
    if (groups[i].params().size() != record.parameters)
      refuse("has " + std::to_string(record.parameters) + " parameters in group " +
             std::to_string(i) + " of the optimizer, the loop's has " +
             std::to_string(groups[i].params().size()) + ": make it as at the run's beginning");
    auto& options = static_cast<torch::optim::AdamWOptions&>(groups[i].options());
    options.lr(record.learning_rate)
        .betas({record.beta_first, record.beta_second})
        .eps(record.epsilon)
        .weight_decay(record.weight_decay)
        .amsgrad(record.amsgrad);
  }
}

SurvivingHistory history_of(const HistoryRecord& record, const ReflexConfig& config) {
  SurvivingHistory history{
      .step = record.step, .reflex = Reflex(config), .structure = record.structure};
  if (!history.reflex.remember(record.reflex))
    refuse("remembers " + std::to_string(record.reflex.losses.size()) +
           " losses, not as many as reflex.history_steps says: go on with that config");
  return history;
}

SlotMode mode_of(const LiveSeed& live) {
  if (live.fossilised()) return SlotMode::fossilised;
  if (!live.on_graph()) return SlotMode::isolated;
  return live.scaffold() ? SlotMode::attached : SlotMode::blended;
}

/// Its tensors are as at birth, of the shapes of then.
void plant(const SeedRecord& record, HostModel& host, SeedBed& bed, const SessionData& data,
           const SessionSettings& settings) {
  const auto& slots = host.description().slots;
  std::vector<SlotDescription> places;
  for (const SlotId slot : record.slots) places.push_back(slots.at(slot.value));
  // A cut since has narrowed the slots of a group alike.
  const std::uint32_t channels = places.at(0).channels;
  for (auto& place : places)
    if (place.channels == channels) place.channels = record.born_channels;
  auto live = std::make_unique<LiveSeed>();
  live->seed = std::make_shared<Seed>(record.seed, record.blueprint, record.slots, places,
                                      settings.seed, settings.builder);
  live->seed->alpha = record.alpha;
  if (record.frozen)
    for (const auto& module : live->seed->modules) module->freeze();
  live->region = record.region;
  live->stage = record.stage;
  live->ramp = record.ramp;
  live->mitigations = record.mitigations;
  live->parameters = live->seed->parameters();
  live->learning_rate = record.learning_rate;
  live->operations = record.operations;
  live->updates = record.updates;
  live->relative_norm = record.relative_norm;
  live->gradient_norm = record.gradient_norm;
  live->non_finite = record.non_finite;
  live->silenced = record.silenced;
  live->gate = record.gate;
  if (!live->fossilised())
    live->optimizer = seed_optimizer(live->parameters, settings.seeds, record.learning_rate,
                                     data.learning_rate_ratio());
  std::vector<Tensor> averages;  // of the parameters' shapes; their values follow
  for (std::size_t i = 0; i < record.averaged; ++i)
    averages.push_back(live->parameters.at(i).detach().clone());
  live->average.put(std::move(averages));
  for (std::size_t member = 0; member < record.slots.size(); ++member) {
    Slot& slot = host.slot(record.slots[member].value);
    slot.plant(live->seed, member);
    slot.set_mode(mode_of(*live));
    live->slots.push_back(&slot);
  }
  bed.seeds().push_back(std::move(live));
}

/// In the order in which they fossilised: submodules, and the groups that a norm is summed over.
void adopt_fossils(const std::vector<GroupRecord>& groups, HostModel& host,
                   torch::optim::Optimizer& optimizer, SeedBed& bed) {
  for (const GroupRecord& group : groups) {
    if (group.seed == SeedId{}) continue;
    LiveSeed* live = bed.find(group.seed);
    if (live == nullptr) refuse("has a parameter group of a seed that it does not hold");
    host.adopt(*live->seed);
    optimizer.add_param_group(torch::optim::OptimizerParamGroup(live->parameters));
    optimizer.param_groups().back().set_options(optimizer.param_groups().front().options().clone());
  }
}

/// While everything stands as it stood at the graft, the snapshot is taken as it was taken then.
std::shared_ptr<GraftCheckpoint> retake(const SeedRecord& owner, HostModel& host,
                                        torch::optim::Optimizer& optimizer, SeedBed& bed,
                                        const SessionData& data, const SessionSettings& settings,
                                        SavedTensors& saved) {
  const HotRecord& record = *owner.hot;
  auto checkpoint = std::make_shared<GraftCheckpoint>(
      GraftCheckpoint{.history = history_of(record.history, settings.reflex),
                      .graft = record.graft,
                      .host = {},
                      .seeds = {},
                      .position = record.position});
  if (!record.whole) return checkpoint;
  const std::string prefix = "hot." + std::to_string(owner.seed.value) + ".";
  const auto streams = [](const std::vector<Part>& parts) {
    std::vector<at::Generator> all;
    for (const Part& part : parts)
      if (const auto* stream = std::get_if<at::Generator>(&part.place)) all.push_back(*stream);
    return all;
  };
  set_options(optimizer, record.groups);
  const auto parts = host_parts(host, optimizer, bed, data);
  const auto held = stand_as_held(parts, prefix, optimizer, saved);
  checkpoint->host.take(held, {&optimizer}, streams(parts));
  for (const HotSeed& hot : record.seeds) {
    LiveSeed* live = bed.find(hot.seed);
    if (live == nullptr || live->fossilised())
      refuse("has a hot checkpoint of a seed that is gone");
    const auto places = seed_parts(*live);
    const auto tensors = stand_as_held(places, prefix, *live->optimizer, saved);
    auto& state = checkpoint->seeds.emplace_back();
    state.seed = hot.seed;
    state.updates = hot.updates;
    state.state.take(tensors, {live->optimizer.get()}, streams(places));
  }
  return checkpoint;
}

std::shared_ptr<WeaningLesson> relearn(const SeedRecord& owner,
                                       const std::map<std::string, Tensor>& live,
                                       SavedTensors& saved) {
  const std::string prefix = "lesson." + std::to_string(owner.seed.value) + ".";
  const auto pairs = [&](const std::vector<std::string>& names, const std::string& kind) {
    std::vector<WeaningLesson::Pair> all;
    for (const std::string& name : names) {
      const auto found = live.find(name);
      if (found == live.end()) refuse("has a lesson on " + name + ", which is not here");
      all.emplace_back(found->second, saved.need(prefix + kind + name).clone());
    }
    return all;
  };
  return std::make_shared<WeaningLesson>(pairs(owner.lesson->taught, "teacher."),
                                         owner.lesson->standing,
                                         pairs(owner.lesson->anchors, "anchor."));
}

}  // namespace

void refuse_other_run(const CheckpointManifest& manifest, const RunIdentity& own,
                      const HostDescription& host) {
  refuse_unless_same("LibTorch", manifest.torch_version, std::string{TORCH_VERSION});
  refuse_unless_same("kernels for", manifest.processor, at::get_cpu_capability());
  refuse_unless_same("training.threads", manifest.threads, own.threads);
  refuse_unless_same("seed", manifest.place.run_seed, own.seed);
  if (!same_host(manifest.host, host))
    refuse("is of another host: \"" + manifest.host.name +
           "\", cut into other regions or slots than \"" + host.name +
           "\" here; go on with its run's config");
  if (manifest.config_hash != own.config_hash)
    refuse("was written by a run of another config; go on with the config.json beside it");
}

void clear(HostModel& host, torch::optim::Optimizer& optimizer, SeedBed& bed,
           const std::vector<GroupRecord>& groups) {
  while (!bed.seeds().empty()) {
    const LiveSeed& live = *bed.seeds().back();
    if (live.fossilised()) host.release(*live.seed);
    bed.remove(live.seed->id, Stage::dormant);
  }
  const auto own = std::count_if(groups.begin(), groups.end(),
                                 [](const GroupRecord& group) { return group.seed == SeedId{}; });
  auto& present = optimizer.param_groups();
  while (present.size() > static_cast<std::size_t>(own)) present.pop_back();
}

void rebuild(const CheckpointContent& content, HostModel& host, torch::optim::Optimizer& optimizer,
             SeedBed& bed, const SessionData& data, const SessionSettings& settings,
             SurvivingHistory& history) {
  const torch::NoGradGuard no_graph;
  const CheckpointManifest& manifest = content.manifest;
  SavedTensors saved(content);
  history = history_of(manifest.history, settings.reflex);
  if (!bed.seeds().empty()) refuse("is to be gone on from before a seed is planted");
  if (manifest.loop_generators != data.generators.size())
    refuse("has " + std::to_string(manifest.loop_generators) +
           " random streams of the loop, here are " + std::to_string(data.generators.size()));
  host.describe(manifest.host);
  for (const SeedRecord& record : manifest.seeds) plant(record, host, bed, data, settings);
  adopt_fossils(manifest.groups, host, optimizer, bed);
  for (std::uint32_t slot = 0; slot < manifest.stages.size(); ++slot)
    bed.set_stage({{slot}}, manifest.stages[slot]);
  for (const SeedRecord& record : manifest.seeds)
    if (record.hot)
      bed.find(record.seed)->checkpoint =
          retake(record, host, optimizer, bed, data, settings, saved);
  set_options(optimizer, manifest.groups);
  std::map<std::string, Tensor> live;
  const auto put = [&](const std::vector<Part>& parts, torch::optim::Optimizer& of) {
    stand(parts, of, saved);
    for (const Part& part : parts)
      if (const auto* tensor = std::get_if<Tensor>(&part.place)) live.emplace(part.name, *tensor);
  };
  put(host_parts(host, optimizer, bed, data), optimizer);
  fit_options(host.module());
  for (const auto& seed : bed.seeds())
    if (!seed->fossilised()) put(seed_parts(*seed), *seed->optimizer);
  for (const SeedRecord& record : manifest.seeds)
    if (record.lesson) bed.find(record.seed)->lesson = relearn(record, live, saved);
  saved.refuse_leftovers();
  if (data.set_position) data.set_position(manifest.position);
  if (data.set_memory) data.set_memory(manifest.loop);
}

}  // namespace esper
