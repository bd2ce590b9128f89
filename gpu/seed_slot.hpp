#pragma once
// Slots in a host and the seeds that stand in them.
#include <functional>
#include <optional>

#include "gpu/blueprint_modules.hpp"
#include "messages/host.hpp"

namespace esper {

using ModuleBuilder = std::function<std::shared_ptr<SeedModule>(
    const Blueprint& blueprint, std::uint32_t channels, at::Generator& generator)>;

/// One blueprint in one slot, or in a group of slots with one alpha: one module per slot.
struct Seed {
  /// Modules for `slots` (ids and descriptions go together), drawn from the seed's own generator,
  /// which follows from (run seed, id) alone.
  Seed(SeedId id, const Blueprint& blueprint, std::vector<SlotId> slots,
       const std::vector<SlotDescription>& descriptions, std::uint64_t run_seed,
       const ModuleBuilder& builder = build);

  /// f of one member on its own random stream. input as the slot's layout has it.
  [[nodiscard]] torch::Tensor evaluate(std::size_t member, const torch::Tensor& input);
  [[nodiscard]] std::vector<torch::Tensor> parameters() const;
  [[nodiscard]] std::vector<torch::Tensor> buffers() const;
  [[nodiscard]] std::vector<torch::nn::Module*> module_pointers() const;
  [[nodiscard]] std::uint64_t parameter_count() const;

  SeedId id;
  Blueprint blueprint;
  std::vector<SlotId> slots;
  std::vector<std::shared_ptr<SeedModule>> modules;  ///< one per slot, same order
  std::uint32_t born_channels;                       ///< of a slot, when this was built
  at::Generator generator;
  double alpha{};
};

/// dormant, isolated: the host's own tensor, the same TensorImpl.
/// blended:    h + alpha f(h.detach()); h + f at 1; the host's own tensor, f not evaluated, at 0.
/// attached:   h + alpha f(h), in the host's graph: a scaffold teaches the host through f. At 0 as
///             blended.
/// fossilised: h + alpha f(h), in the host's graph, f's parameters the host's own.
enum class SlotMode : std::uint8_t { dormant, isolated, blended, attached, fossilised };

/// How a slot behaves in a pass beside the training pass, whatever its mode.
struct Trial {
  double alpha{};         ///< 0: as if the seed were not there
  bool differentiated{};  ///< switches gradients on from here: no graph for the host before it
};

/// Held by a host, which passes its activations through it.
class Slot {
 public:
  explicit Slot(SlotDescription description);

  /// A point slot: between layers.
  [[nodiscard]] torch::Tensor operator()(torch::Tensor output) { return pass(output, output); }
  /// A branch slot: beside the layer that made `output` of `input`. f(input) has output's shape.
  [[nodiscard]] torch::Tensor operator()(torch::Tensor output, const torch::Tensor& input) {
    return pass(output, input);
  }

  /// Puts the seed's module number `member` here, isolated. Errors: InvariantViolation when the
  /// slot is taken.
  void plant(std::shared_ptr<Seed> seed, std::size_t member);
  void set_mode(SlotMode mode);
  /// Empty again; the seed goes when its last holder lets go.
  void clear();
  void set_trial(std::optional<Trial> trial) { trial_ = trial; }

  /// While observing, the slot keeps references to what passes through it. A reference costs no
  /// allocation and adds no node to the graph.
  void set_observing(bool observing) { observing_ = observing; }
  /// Lets go of what was kept; at each step's end, so that no graph outlives its step.
  void forget();

  [[nodiscard]] const SlotDescription& description() const { return description_; }
  /// After surgery: the slot is the same, its channels are fewer.
  void describe(SlotDescription description) { description_ = std::move(description); }
  [[nodiscard]] SlotMode mode() const { return mode_; }
  [[nodiscard]] const std::shared_ptr<Seed>& seed() const { return seed_; }
  [[nodiscard]] std::size_t member() const { return member_; }
  /// Of the last observed pass: the host's own activations at this slot, what f reads, what f gave
  /// (undefined when not evaluated), and what the slot returned. Undefined after `forget`.
  [[nodiscard]] const torch::Tensor& host_output() const { return host_output_; }
  [[nodiscard]] const torch::Tensor& seed_input() const { return seed_input_; }
  [[nodiscard]] const torch::Tensor& seed_output() const { return seed_output_; }
  [[nodiscard]] const torch::Tensor& output() const { return output_; }
  /// False: something wrote into the observed activations in place after they had passed.
  [[nodiscard]] bool intact() const;

 private:
  torch::Tensor pass(torch::Tensor output, const torch::Tensor& input);
  torch::Tensor blend(const torch::Tensor& output, const torch::Tensor& input, double alpha);

  SlotDescription description_;
  SlotMode mode_{SlotMode::dormant};
  std::shared_ptr<Seed> seed_;
  std::size_t member_{};
  std::optional<Trial> trial_;
  bool observing_{};
  torch::Tensor host_output_, seed_input_, seed_output_, output_;
  std::uint32_t version_{};
};

/// Gives the slots a trial until the end of the block.
class TrialScope {
 public:
  TrialScope(std::vector<Slot*> slots, Trial trial);
  ~TrialScope();
  TrialScope(const TrialScope&) = delete;
  TrialScope& operator=(const TrialScope&) = delete;

 private:
  std::vector<Slot*> slots_;
};

}  // namespace esper
