#include "gpu/model_copy.hpp"

#include <algorithm>

#include <ATen/CPUGeneratorImpl.h>

#include "gpu/isolation.hpp"
#include "gpu/layer_options.hpp"
#include "messages/result.hpp"

namespace esper {
namespace {

bool counts(const LiveSeed& live) { return live.fossilised() || live.touches_host(); }

}  // namespace

ModelCopy::ModelCopy(const HostFactory& factory, ModuleBuilder builder)
    : stream_(at::detail::createCPUGenerator()),
      builder_(std::move(builder)),
      host_([&] {
        const RandomStreamScope scope(stream_);
        return factory();
      }()),
      bed_(*host_) {
  host_->module().eval();
}

void ModelCopy::take(HostModel& from, const SeedBed& bed) {
  const torch::NoGradGuard no_graph;
  std::vector<Standing> standing;
  for (const auto& live : bed.seeds())
    if (counts(*live)) standing.push_back({live->seed.get(), live->slots.front()->mode()});
  const bool replanted = from_ != &from || standing != standing_;
  if (replanted) {
    from_ = nullptr;  // until all of it is here
    replant(from, bed);
    standing_ = std::move(standing);
  }
  bool reshaped = replanted;
  for (const auto& [own, others] : pairs_) {
    if (own.sizes() == others.sizes()) {
      own.detach().copy_(others.detach());
    } else {
      own.mutable_grad().reset();
      own.set_data(others.detach().clone());
      reshaped = true;
    }
  }
  if (reshaped) {
    host_->describe(from.description());
    LayerOptions(from.module()).put(host_->module());
  }
  for (const auto& live : bed.seeds()) {
    if (!counts(*live)) continue;
    LiveSeed& own = *bed_.find(live->seed->id);
    own.set_alpha(live->seed->alpha);
    own.operations = live->operations;
    own.stage = live->stage;
    bed_.set_stage(own.seed->slots, own.stage);
    if (!reshaped) continue;
    for (std::size_t i = 0; i < own.seed->modules.size(); ++i)
      LayerOptions(*live->seed->modules[i]).put(*own.seed->modules[i]);
  }
  from_ = &from;
}

void ModelCopy::replant(HostModel& from, const SeedBed& bed) {
  pairs_.clear();
  while (!bed_.seeds().empty()) {
    const auto seed = bed_.seeds().back()->seed;
    if (bed_.seeds().back()->fossilised()) host_->release(*seed);
    bed_.remove(seed->id);
    bed_.set_stage(seed->slots, Stage::dormant);
  }
  for (const auto& live : bed.seeds())
    if (counts(*live)) plant(*live, from);
  pair(host_->module(), from.module());
  // Fossilised ones are among the host's modules by now.
  for (const auto& live : bed.seeds())
    if (live->touches_host())
      for (std::size_t i = 0; i < live->seed->modules.size(); ++i)
        pair(*bed_.find(live->seed->id)->seed->modules[i], *live->seed->modules[i]);
}

void ModelCopy::plant(const LiveSeed& original, HostModel& from) {
  auto live = std::make_unique<LiveSeed>();
  const Seed& seed = *original.seed;
  std::vector<SlotDescription> descriptions;
  for (const SlotId slot : seed.slots)
    descriptions.push_back(from.description().slots.at(slot.value));
  live->seed =
      std::make_shared<Seed>(seed.id, seed.blueprint, seed.slots, descriptions, 0, builder_);
  live->region = original.region;
  live->stage = original.stage;
  live->parameters = live->seed->parameters();
  for (std::size_t member = 0; member < seed.slots.size(); ++member) {
    Slot& slot = host_->slot(seed.slots[member].value);
    slot.plant(live->seed, member);
    slot.set_mode(original.slots.at(member)->mode());
    live->slots.push_back(&slot);
    live->seed->modules[member]->eval();
  }
  if (original.fossilised()) host_->adopt(*live->seed);
  bed_.seeds().push_back(std::move(live));
}

/// By name: the order of modules is the order in which seeds fossilised.
void ModelCopy::pair(const torch::nn::Module& own, const torch::nn::Module& others) {
  const auto add = [&](const auto& mine, const auto& theirs) {
    for (const auto& tensor : theirs) {
      const auto* found = mine.find(tensor.key());
      if (found == nullptr || mine.size() != theirs.size())
        throw InvariantViolation("the copy has another structure: " + tensor.key());
      pairs_.emplace_back(*found, tensor.value());
    }
  };
  add(own.named_parameters(), others.named_parameters());
  add(own.named_buffers(), others.named_buffers());
}

}  // namespace esper
