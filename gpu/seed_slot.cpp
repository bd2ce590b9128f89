#include "gpu/seed_slot.hpp"

#include "gpu/isolation.hpp"
#include "messages/result.hpp"

namespace esper {

Seed::Seed(SeedId seed_id, const Blueprint& design, std::vector<SlotId> places,
           const std::vector<SlotDescription>& descriptions, std::uint64_t run_seed,
           const ModuleBuilder& builder)
    : id(seed_id),
      blueprint(design),
      slots(std::move(places)),
      born_channels(descriptions.empty() ? 0 : descriptions.front().channels),
      generator(own_generator(run_seed, "seed", seed_id.value)) {
  if (slots.empty() || slots.size() != descriptions.size())
    throw InvariantViolation("a seed needs one description per slot");
  for (const SlotDescription& description : descriptions)
    modules.push_back(builder(blueprint, description.channels, generator));
}

torch::Tensor Seed::evaluate(std::size_t member, const torch::Tensor& input) {
  SeedModule& module = *modules.at(member);
  if (!module.draws()) return module.forward(input);
  const RandomStreamScope scope(generator);
  return module.forward(input);
}

std::vector<torch::Tensor> Seed::parameters() const {
  std::vector<torch::Tensor> all;
  for (const auto& module : modules)
    for (const torch::Tensor& parameter : module->parameters()) all.push_back(parameter);
  return all;
}

std::vector<torch::Tensor> Seed::buffers() const {
  std::vector<torch::Tensor> all;
  for (const auto& module : modules)
    for (const torch::Tensor& buffer : module->buffers()) all.push_back(buffer);
  return all;
}

std::vector<torch::nn::Module*> Seed::module_pointers() const {
  std::vector<torch::nn::Module*> all;
  for (const auto& module : modules) all.push_back(module.get());
  return all;
}

std::uint64_t Seed::parameter_count() const {
  std::uint64_t count = 0;
  for (const torch::Tensor& parameter : parameters())
    count += static_cast<std::uint64_t>(parameter.numel());
  return count;
}

Slot::Slot(SlotDescription description) : description_(std::move(description)) {}

void Slot::plant(std::shared_ptr<Seed> seed, std::size_t member) {
  if (seed_ != nullptr) throw InvariantViolation("slot " + description_.name + " is taken");
  if (seed == nullptr || member >= seed->modules.size())
    throw InvariantViolation("slot " + description_.name + ": the seed has no such member");
  seed_ = std::move(seed);
  member_ = member;
  mode_ = SlotMode::isolated;
}

void Slot::set_mode(SlotMode mode) {
  if ((mode == SlotMode::dormant) != (seed_ == nullptr))
    throw InvariantViolation("slot " + description_.name + ": dormant means without a seed");
  mode_ = mode;
}

void Slot::clear() {
  seed_.reset();
  member_ = 0;
  mode_ = SlotMode::dormant;
  trial_.reset();
  forget();
}

void Slot::forget() {
  host_output_.reset();
  seed_input_.reset();
  seed_output_.reset();
  output_.reset();
}

bool Slot::intact() const { return !host_output_.defined() || host_output_._version() == version_; }

torch::Tensor Slot::pass(torch::Tensor output, const torch::Tensor& input) {
  if (observing_) {
    forget();
    host_output_ = output;
    seed_input_ = input;
    version_ = static_cast<std::uint32_t>(output._version());
  }
  if (seed_ != nullptr) {
    if (trial_) {
      if (trial_->differentiated) at::GradMode::set_enabled(true);
      // Whatever the mode: nothing before the slot of a trial has a graph.
      if (trial_->alpha != 0) output = blend(output, input.detach(), trial_->alpha);
    } else if (mode_ == SlotMode::blended && seed_->alpha != 0) {
      output = blend(output, input.detach(), seed_->alpha);
    } else if ((mode_ == SlotMode::attached || mode_ == SlotMode::fossilised) &&
               seed_->alpha != 0) {
      output = blend(output, input, seed_->alpha);
    }
  }
  if (observing_) output_ = output;
  return output;
}

torch::Tensor Slot::blend(const torch::Tensor& output, const torch::Tensor& input, double alpha) {
  const torch::Tensor added = seed_->evaluate(member_, input);
  if (observing_) seed_output_ = added;
  return alpha == 1 ? output + added : output + added * alpha;
}

TrialScope::TrialScope(std::vector<Slot*> slots, Trial trial) : slots_(std::move(slots)) {
  for (Slot* slot : slots_) slot->set_trial(trial);
}

TrialScope::~TrialScope() {
  for (Slot* slot : slots_) slot->set_trial(std::nullopt);
}

}  // namespace esper
