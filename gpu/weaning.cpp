#include "gpu/weaning.hpp"

#include <algorithm>

#include <torch/csrc/autograd/autograd.h>

#include "actors/decisions/number.hpp"
#include "gpu/graft_checkpoint.hpp"
#include "gpu/isolation.hpp"
#include "gpu/seed_training.hpp"

namespace esper {

namespace {

std::pair<torch::Tensor, torch::Tensor> with_copy(const torch::Tensor& live) {
  return {live, live.detach().clone()};
}

void add_gradient(const torch::Tensor& parameter, const torch::Tensor& gradient) {
  if (parameter.grad().defined())
    parameter.grad().add_(gradient);
  else
    parameter.mutable_grad() = gradient;
}

}  // namespace

/// The model is its teacher until the end of the block: tensors change places without a copy, and
/// every seed answers at the alpha that it had.
class WeaningLesson::TeacherScope {
 public:
  TeacherScope(WeaningLesson& lesson, const SeedBed& bed) : lesson_(lesson) {
    exchange();
    for (const auto& live : bed.seeds())
      trials_.push_back(std::make_unique<TrialScope>(
          live->slots, Trial{.alpha = lesson.alpha_of(live->seed->id)}));
  }
  ~TeacherScope() { exchange(); }
  TeacherScope(const TeacherScope&) = delete;
  TeacherScope& operator=(const TeacherScope&) = delete;

 private:
  void exchange() {
    for (auto& [live, other] : lesson_.tensors_) {
      const torch::Tensor held = live.detach();
      live.set_data(other);
      other = held;
    }
  }
  WeaningLesson& lesson_;
  std::vector<std::unique_ptr<TrialScope>> trials_;
};

WeaningLesson::WeaningLesson(HostModel& host, const SeedBed& bed, RegionId region) {
  const torch::NoGradGuard no_graph;
  for (const auto& tensor : tensors_of(host.module())) tensors_.push_back(with_copy(tensor));
  for (const auto& live : bed.seeds()) {
    standing_.push_back({live->seed->id, live->seed->alpha});
    if (live->fossilised()) continue;  // among the host's
    for (const auto& parameter : live->parameters) tensors_.push_back(with_copy(parameter));
    for (const auto& buffer : live->seed->buffers()) tensors_.push_back(with_copy(buffer));
  }
  for (const auto& parameter : host.region_parameters(region))
    anchors_.push_back(with_copy(parameter));
}

bool WeaningLesson::fits() const {
  return std::all_of(tensors_.begin(), tensors_.end(),
                     [](const Pair& pair) { return pair.first.sizes() == pair.second.sizes(); });
}

double WeaningLesson::alpha_of(SeedId seed) const {
  const auto found = std::find_if(standing_.begin(), standing_.end(),
                                  [&](const StandingSeed& then) { return then.seed == seed; });
  return found == standing_.end() ? 0 : found->alpha;
}

std::uint64_t WeaningLesson::teach(HostModel& host, SeedBed& bed, const LiveSeed& leaving,
                                   const Batch& batch) {
  const auto& mitigations = leaving.mitigations;
  std::uint64_t cost = 0;
  if (mitigations.knowledge_distillation_weight > 0 && fits())
    cost = distil(host, bed, mitigations.knowledge_distillation_weight, batch);
  if (mitigations.anchor_weight > 0) pull(mitigations.anchor_weight);
  return cost;
}

std::uint64_t WeaningLesson::distil(HostModel& host, SeedBed& bed, double weight,
                                    const Batch& batch) {
  const EvaluationScope still(all_modules(host, bed));
  torch::Tensor taught;
  {
    const torch::NoGradGuard no_graph;
    const TeacherScope teacher(*this, bed);
    taught = host.forward(batch.inputs);
  }
  const torch::AutoGradMode graph(true);
  const auto loss = distillation(host.forward(batch.inputs), taught) * weight;
  for (Slot& passed : host.slots()) passed.forget();
  std::uint64_t own = host.description().operations + bed.fossilised_operations(), then = own;
  for (const auto& live : bed.seeds()) {
    if (live->touches_host()) own += live->operations;
    if (!live->fossilised() && alpha_of(live->seed->id) > 0) then += live->operations;
  }
  const auto samples = static_cast<std::uint64_t>(batch.inputs.size(0));
  std::uint64_t cost = samples * (then + own);
  if (!finite(loss.item<double>())) return cost;
  cost += 2 * samples * own;
  const auto parameters = host.module().parameters();
  const auto gradients = torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/false,
                                               /*create_graph=*/false, /*allow_unused=*/true);
  const torch::NoGradGuard no_graph;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (gradients[i].defined()) add_gradient(parameters[i], gradients[i]);
  return cost;
}

void WeaningLesson::pull(double weight) {
  const torch::NoGradGuard no_graph;
  for (const auto& [live, anchor] : anchors_)
    if (live.sizes() == anchor.sizes())
      add_gradient(live, (live.detach() - anchor).sign_().mul_(weight));
}

}  // namespace esper
