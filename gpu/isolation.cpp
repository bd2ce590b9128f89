#include "gpu/isolation.hpp"

#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "actors/decisions/random.hpp"

namespace esper {

IsolationSwitches& isolation_switches() {
  static IsolationSwitches switches;
  return switches;
}

namespace {

/// Trainers of several replicas may be threads of one process, as in tests: the global stream is
/// lent to one scope at a time. Scopes nest.
std::recursive_mutex& one_scope_at_a_time() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace

RandomStreamScope::RandomStreamScope(at::Generator& own)
    : active_(!isolation_switches().no_stream_guard),
      own_(own),
      global_(at::detail::getDefaultCPUGenerator()) {
  if (!active_) return;
  one_scope_at_a_time().lock();
  const std::lock_guard lock(global_.mutex());
  saved_ = global_.get_state();
  global_.set_state(own_.get_state());
}

RandomStreamScope::~RandomStreamScope() {
  if (!active_) return;
  {
    const std::lock_guard lock(global_.mutex());
    own_.set_state(global_.get_state());
    global_.set_state(saved_);
  }
  one_scope_at_a_time().unlock();
}

EvaluationScope::EvaluationScope(const std::vector<torch::nn::Module*>& modules) {
  if (isolation_switches().shadow_in_train_mode) return;
  for (torch::nn::Module* root : modules)
    for (const auto& module : root->modules(/*include_self=*/false))
      flags_.emplace_back(module.get(), module->is_training());
  // A root may live on the stack, where modules() cannot share it.
  std::vector<std::pair<torch::nn::Module*, bool>> roots;
  for (torch::nn::Module* root : modules) roots.emplace_back(root, root->is_training());
  flags_.insert(flags_.begin(), roots.begin(), roots.end());
  for (torch::nn::Module* root : modules) root->eval();
}

EvaluationScope::~EvaluationScope() {
  // train() reaches all below; parents come first, so each child's own flag is set last.
  for (const auto& [module, training] : flags_)
    if (module->is_training() != training) module->train(training);
}

at::Generator own_generator(std::uint64_t seed, std::string_view component, std::uint64_t index) {
  return at::detail::createCPUGenerator(RandomStream(seed, component, index).next());
}

void gradients_into(const at::Tensor& loss, const std::vector<at::Tensor>& parameters) {
  auto gradients = torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/false,
                                         /*create_graph=*/false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!gradients[i].defined() && isolation_switches().step_on_zero_gradients)
      gradients[i] = torch::zeros_like(parameters[i]);
    parameters[i].mutable_grad() = gradients[i];
  }
}

}  // namespace esper
