#include "gpu/coupling_probe.hpp"

#include <algorithm>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "gpu/coupling_look.hpp"
#include "gpu/graft_checkpoint.hpp"
#include "gpu/isolation.hpp"
#include "gpu/surgery.hpp"

namespace esper {
namespace {

using torch::Tensor;
using Uses = std::vector<ChannelUse>;

constexpr double slicing_tolerance = 1e-5;

/// The copy's tensors are what they were at the end of the block.
class RestoringScope {
 public:
  explicit RestoringScope(HostModel& host) : host_(host), bed_(host), structure_(host, bed_) {
    snapshot_.take(tensors_of(host.module()), {}, {});
  }
  ~RestoringScope() {
    snapshot_.restore();
    structure_.restore(host_, bed_);
  }
  RestoringScope(const RestoringScope&) = delete;
  RestoringScope& operator=(const RestoringScope&) = delete;

 private:
  HostModel& host_;
  SeedBed bed_;
  Structure structure_;
  Snapshot snapshot_;
};

Uses declared_uses(const CoupledGroup& group) {
  Uses uses;
  for (const CoupledDimension& dimension : group.dimensions)
    uses.push_back(
        {dimension.tensor, dimension.dimension > 0, dimension.dimension, dimension.stride});
  return uses;
}

Uses keys(const std::map<ChannelUse, int>& votes) {
  Uses uses;
  for (const auto& vote : votes) uses.push_back(vote.first);
  return uses;
}

std::string told(const ChannelUse& use) { return use.reads ? "reads" : "makes"; }

class GroupProbe {
 public:
  GroupProbe(HostModel& copy, const CoupledGroup& group, const Tensor& inputs, std::uint64_t seed)
      : copy_(copy),
        group_(group),
        declared_(declared_uses(group)),
        eye_(copy, inputs, own_generator(seed, "coupling " + group.name, 0)) {}

  std::optional<std::string> fault() {
    std::string problem;
    const SeedBed none(copy_);
    (void)live_dimensions(copy_, none, group_, problem);
    if (!problem.empty()) return problem;
    constexpr int first_looks = 2, more_looks = 6;
    CouplingVotes votes = look(declared_, first_looks);
    if (!votes.empty()) {
      for (int i = 0; i < more_looks; ++i) votes.add(eye_.look(declared_, group_.channels));
      votes.settle();
    }
    if (!votes.empty()) return explained(votes);
    for (int i = 0; i < first_looks; ++i)
      if (auto found = slicing_fault()) return found;
    return std::nullopt;
  }

 private:
  CouplingVotes look(const Uses& uses, int times) {
    CouplingVotes votes;
    for (int i = 0; i < times; ++i) votes.add(eye_.look(uses, group_.channels));
    return votes;
  }

  bool right(const Uses& uses) {
    constexpr int looks = 6;
    CouplingVotes votes = look(uses, looks);
    votes.settle();
    return votes.empty();
  }

  /// The one fault whose mending makes the description right; else what was seen first.
  std::string explained(const CouplingVotes& votes) {
    Uses missing = keys(votes.undeclared);
    std::erase_if(missing, [](const ChannelUse& use) { return use.dimension < 0; });
    for (const ChannelUse& use : missing) {
      Uses mended = declared_;
      mended.push_back(use);
      if (right(mended)) return undeclared({use});
    }
    Uses mended = declared_;
    mended.insert(mended.end(), missing.begin(), missing.end());
    if (missing.size() > 1 && right(mended)) return undeclared(missing);
    for (std::size_t i = 0; i < declared_.size(); ++i) {
      mended = declared_;
      mended.erase(mended.begin() + static_cast<std::ptrdiff_t>(i));
      if (right(mended))
        return "tensor " + declared_[i].tensor + " is declared but neither makes nor reads its " +
               "channels in dimension " + std::to_string(declared_[i].dimension);
      for (const ChannelUse& use : missing) {
        if (use.tensor != declared_[i].tensor) continue;
        mended.push_back(use);
        if (right(mended))
          return "tensor " + use.tensor + " " + told(use) + " its channels in dimension " +
                 std::to_string(use.dimension) + ", not in dimension " +
                 std::to_string(declared_[i].dimension);
        mended.pop_back();
      }
    }
    if (!votes.undeclared.empty()) return undeclared(keys(votes.undeclared));
    const ChannelUse idle = votes.idle.begin()->first;
    return "tensor " + idle.tensor + " is declared but " + told(idle) + " no channel of it alone";
  }

  static std::string undeclared(const Uses& uses) {
    std::string sentence;
    for (const ChannelUse& use : uses)
      sentence += (sentence.empty() ? "tensor " : "; tensor ") + use.tensor + " " + told(use) +
                  " its channels" +
                  (use.dimension < 0
                       ? " otherwise than one dimension can say"
                       : " in dimension " + std::to_string(use.dimension) + " but is not declared");
    return sentence;
  }

  std::optional<std::string> slicing_fault() {
    if (group_.channels < 2) return std::nullopt;
    eye_.redraw();
    const auto out = static_cast<std::uint32_t>(eye_.draw_channel(group_.channels));
    GroupCut without{group_.name, {}};
    for (std::uint32_t channel = 0; channel < group_.channels; ++channel)
      if (channel != out) without.kept.push_back(channel);
    const RestoringScope restoring(copy_);
    SeedBed none(copy_);
    mask_channel(copy_, none, group_, out);
    const Tensor masked = eye_.output();
    if (const auto answer = cut(copy_, none, {without}); answer.refusal != SurgeryRefusal::none)
      return answer.detail;
    try {
      const double off =
          (eye_.output() - masked).abs().max().item<double>() / masked.abs().max().item<double>();
      if (off <= slicing_tolerance) return std::nullopt;
      return "the sliced host differs from the masked one by " + std::to_string(off);
    } catch (const c10::Error& error) {
      return "the sliced host cannot compute: " + std::string(error.what_without_backtrace());
    } catch (const std::exception& error) {
      return "the sliced host cannot compute: " + std::string(error.what());
    }
  }

  HostModel& copy_;
  CoupledGroup group_;
  Uses declared_;
  CouplingEye eye_;
};

/// Whether the output's gradient reaches each of the host's own parameters; names without an entry
/// are left out.
std::map<std::string, bool> reached(HostModel& copy, const Tensor& inputs) {
  const torch::AutoGradMode graph(true);
  std::vector<std::string> names;
  std::vector<Tensor> targets;
  for (const auto& parameter : copy.module().named_parameters())
    if (!parameter.key().starts_with("seed_") && parameter.value().numel() > 0) {
      names.push_back(parameter.key());
      targets.push_back(parameter.value());
    }
  const auto gradients = torch::autograd::grad({copy.forward(inputs).sum()}, targets, {}, false,
                                               false, /*allow_unused=*/true);
  std::map<std::string, bool> found;
  for (std::size_t i = 0; i < names.size(); ++i) found[names[i]] = gradients[i].defined();
  return found;
}

/// The host must compute without the layer, and nothing but the layer's own parameters may lose
/// their part in it.
std::optional<std::string> layer_fault(HostModel& copy, const std::string& name,
                                       const Tensor& inputs) {
  const auto before = reached(copy, inputs);
  const RestoringScope restoring(copy);
  SeedBed none(copy);
  if (const auto answer = cut(copy, none, {}, {name}); answer.refusal != SurgeryRefusal::none)
    return answer.detail;
  try {
    for (const auto& [tensor, has] : reached(copy, inputs))
      if (!has && before.at(tensor)) return "tensor " + tensor + " is its own but is not declared";
  } catch (const c10::Error& error) {
    return "the host cannot compute without it: " + std::string(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return "the host cannot compute without it: " + std::string(error.what());
  }
  return std::nullopt;
}

/// A copy in evaluation mode, without seeds in its path, until the end of the block.
struct BareScope {
  explicit BareScope(HostModel& copy)
      : still({&copy.module()}),
        without_seeds(pointers(copy), {.alpha = 0, .differentiated = false}) {}
  static std::vector<Slot*> pointers(HostModel& copy) {
    std::vector<Slot*> slots;
    for (Slot& slot : copy.slots()) slots.push_back(&slot);
    return slots;
  }
  EvaluationScope still;
  TrialScope without_seeds;
};

}  // namespace

std::optional<std::string> coupling_fault(HostModel& copy, const std::string& group,
                                          const at::Tensor& inputs, std::uint64_t seed) {
  const auto& groups = copy.description().coupled_groups;
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const auto& known) { return known.name == group; });
  if (found == groups.end()) return "group " + group + ": the host has none of this name";
  const BareScope bare(copy);
  const RestoringScope restoring(copy);
  auto fault = GroupProbe(copy, *found, inputs, seed).fault();
  if (fault) return "group " + group + ": " + *fault;
  return std::nullopt;
}

std::optional<std::string> coupling_fault(HostModel& copy, const at::Tensor& inputs,
                                          std::uint64_t seed) {
  std::vector<std::string> names;
  for (const CoupledGroup& group : copy.description().coupled_groups)
    if (group.channels > 0) names.push_back(group.name);
  for (const std::string& name : names)
    if (auto fault = coupling_fault(copy, name, inputs, seed)) return fault;
  const BareScope bare(copy);
  names.clear();
  for (const ResidualLayer& layer : copy.description().residual_layers)
    if (!layer.removed) names.push_back(layer.name);
  for (const std::string& name : names)
    if (auto fault = layer_fault(copy, name, inputs)) return "layer " + name + ": " + *fault;
  return std::nullopt;
}

}  // namespace esper
