#include "gpu/graft_checkpoint.hpp"

#include <ATen/CPUGeneratorImpl.h>

namespace esper {

namespace {

std::vector<at::Generator> streams_of(const SeedBed& bed, const SessionData& data) {
  std::vector<at::Generator> streams{at::detail::getDefaultCPUGenerator()};
  streams.insert(streams.end(), data.generators.begin(), data.generators.end());
  for (const auto& live : bed.seeds())
    if (live->fossilised()) streams.push_back(live->seed->generator);
  return streams;
}

}  // namespace

std::vector<torch::Tensor> tensors_of(const torch::nn::Module& module) {
  auto tensors = module.parameters();
  for (const auto& buffer : module.buffers()) tensors.push_back(buffer);
  return tensors;
}

std::shared_ptr<GraftCheckpoint> take_checkpoint(HostModel& host,
                                                 torch::optim::Optimizer& optimizer,
                                                 const SeedBed& bed, const SessionData& data,
                                                 const SurvivingHistory& history,
                                                 std::uint64_t graft) {
  auto checkpoint = std::make_shared<GraftCheckpoint>(
      GraftCheckpoint{.history = history, .graft = graft, .host = {}, .seeds = {}, .position = {}});
  checkpoint->host.take(tensors_of(host.module()), {&optimizer}, streams_of(bed, data));
  for (const auto& live : bed.seeds()) {
    if (live->fossilised()) continue;
    auto& saved = checkpoint->seeds.emplace_back();
    saved.seed = live->seed->id;
    saved.updates = live->updates;
    auto tensors = live->parameters;
    for (const auto& buffer : live->seed->buffers()) tensors.push_back(buffer);
    for (const auto& average : live->average.tensors()) tensors.push_back(average);
    saved.state.take(tensors, {live->optimizer.get()}, {live->seed->generator});
  }
  if (data.position) checkpoint->position = data.position();
  return checkpoint;
}

SurvivingHistory restore_checkpoint(GraftCheckpoint& checkpoint, SeedBed& bed,
                                    const SessionData& data) {
  checkpoint.host.restore();
  for (auto& saved : checkpoint.seeds) {
    LiveSeed* live = bed.find(saved.seed);
    if (live == nullptr || live->fossilised()) continue;
    saved.state.restore();
    live->updates = saved.updates;
  }
  if (data.set_position) data.set_position(checkpoint.position);
  return checkpoint.history;
}

}  // namespace esper
