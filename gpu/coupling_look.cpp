#include "gpu/coupling_look.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

namespace esper {
namespace {

using torch::Tensor;

bool contains(const std::vector<ChannelUse>& uses, const ChannelUse& use) {
  return std::find(uses.begin(), uses.end(), use) != uses.end();
}

/// Entries at zero until the end of the block.
class ZeroedScope {
 public:
  explicit ZeroedScope(std::vector<Tensor> entries) : entries_(std::move(entries)) {
    const torch::NoGradGuard no_graph;
    for (const Tensor& zeroed : entries_) {
      kept_.push_back(zeroed.clone());
      zeroed.zero_();
    }
  }
  ~ZeroedScope() {
    const torch::NoGradGuard no_graph;
    // Backwards: where two overlap, the first has the original.
    for (std::size_t i = entries_.size(); i-- > 0;) entries_[i].copy_(kept_[i]);
  }
  ZeroedScope(const ZeroedScope&) = delete;
  ZeroedScope& operator=(const ZeroedScope&) = delete;

 private:
  std::vector<Tensor> entries_, kept_;
};

/// Where a gradient has vanished that was there, as entries of one tensor.
struct Vanished {
  Tensor alive, vanished,
      own;  ///< bool; `own`: of the channel as declared, which count for nothing
};

/// The slab of one dimension that has vanished whole. Single entries die of ReLU at every look, a
/// channel's share of a tensor does not: dimension -1 when as much is gone but no slab. Nothing for
/// less.
std::optional<ChannelUse> use_of(const std::string& name, bool reads, const Vanished& found,
                                 std::int64_t channels, std::int64_t channel) {
  const auto count = [](const Tensor& entries) { return entries.sum().item<std::int64_t>(); };
  const Tensor gone = found.vanished & ~found.own;
  const auto enough = [&](std::int64_t entries) {
    return entries > 0 && 2 * channels * entries >= count(found.alive);
  };
  if (!enough(count(gone))) return std::nullopt;
  for (std::int64_t dimension = reads ? 1 : 0; dimension < gone.dim(); ++dimension) {
    const std::int64_t size = gone.size(dimension);
    if (size % channels != 0) continue;
    const std::int64_t stride = size / channels;
    const auto slab = [&](const Tensor& whole) {
      return whole.narrow(dimension, channel * stride, stride);
    };
    const std::int64_t in_slab = count(slab(gone));
    if (in_slab == count(slab(found.alive & ~found.own)) && enough(in_slab))
      return ChannelUse{name, reads, dimension, stride};
  }
  return ChannelUse{name, reads, -1, 1};
}

void keep_most(std::map<ChannelUse, int>& votes, int looks) {
  std::erase_if(votes, [&](const auto& vote) { return 4 * vote.second < 3 * looks; });
}

}  // namespace

void CouplingVotes::add(const CouplingLook& look) {
  ++looks;
  for (const ChannelUse& use : look.undeclared) ++undeclared[use];
  for (const ChannelUse& use : look.idle) ++idle[use];
}

void CouplingVotes::settle() {
  keep_most(undeclared, looks);
  keep_most(idle, looks);
}

CouplingEye::CouplingEye(HostModel& host, Tensor inputs, at::Generator generator)
    : host_(host), inputs_(std::move(inputs)), generator_(std::move(generator)) {
  for (const auto& parameter : host_.module().named_parameters())
    if (!parameter.key().starts_with("seed_") && parameter.value().numel() > 0)
      parameters_.push_back({parameter.key(), parameter.value()});
  for (const auto& buffer : host_.module().named_buffers())
    if (!buffer.key().starts_with("seed_") && buffer.value().is_floating_point() &&
        buffer.value().dim() > 0)
      buffers_.push_back({buffer.key(), buffer.value()});
  direction_ = torch::empty_like(output()).normal_(0, 1, generator_);
}

void CouplingEye::redraw() {
  const torch::NoGradGuard no_graph;
  for (const Named& parameter : parameters_) {
    const Tensor values = parameter.tensor.detach();
    if (values.dim() > 1)
      values.normal_(0,
                     std::sqrt(2.0 * static_cast<double>(values.size(0)) /
                               static_cast<double>(values.numel())),
                     generator_);
    else if (values.dim() == 1)
      values.uniform_(0.5, 1, generator_);
  }
  for (const Named& buffer : buffers_) {
    if (buffer.name.ends_with("running_mean"))
      buffer.tensor.uniform_(-0.1, 0.1, generator_);
    else if (buffer.name.ends_with("running_var"))
      buffer.tensor.uniform_(0.5, 1.5, generator_);
  }
}

Tensor CouplingEye::output() {
  const torch::NoGradGuard no_graph;
  return host_.forward(inputs_);
}

std::int64_t CouplingEye::draw_channel(std::int64_t channels) {
  return torch::empty({1}, torch::kInt64).random_(0, channels, generator_).item<std::int64_t>();
}

std::vector<Tensor> CouplingEye::gradients() {
  const at::AutoGradMode graph(true);
  std::vector<Tensor> targets;
  for (const Named& parameter : parameters_) targets.push_back(parameter.tensor);
  const Tensor loss = (host_.forward(inputs_) * direction_).sum();
  auto found = torch::autograd::grad({loss}, targets, {}, false, false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!found[i].defined()) found[i] = torch::zeros_like(targets[i]);
  return found;
}

Tensor CouplingEye::entries(const ChannelUse& use, std::int64_t channel) {
  for (const auto* all : {&parameters_, &buffers_})
    for (const Named& named : *all)
      if (named.name == use.tensor)
        return named.tensor.detach().narrow(use.dimension, channel * use.stride, use.stride);
  return {};
}

CouplingLook CouplingEye::look(const std::vector<ChannelUse>& declared, std::int64_t channels) {
  // Which units die by ReLU changes with the weights, what is coupled does not.
  constexpr int draws = 3;
  CouplingLook seen;
  const std::int64_t channel = draw_channel(channels);
  std::vector<Fate> made, read;
  for (int i = 0; i < draws; ++i) {
    redraw();
    const auto before = gradients();
    const auto join = [&](std::vector<Fate>& all, std::vector<Fate> now) {
      for (std::size_t j = 0; j < all.size(); ++j) {
        all[j].alive &= now[j].alive;
        all[j].vanished &= now[j].vanished;
      }
      if (all.empty()) all = std::move(now);
    };
    join(made, fates(declared, /*zero_makers=*/true, before, channel));
    join(read, fates(declared, /*zero_makers=*/false, before, channel));
  }
  look_at_fates(declared, /*zero_makers=*/true, made, channels, channel, seen);
  look_at_fates(declared, /*zero_makers=*/false, read, channels, channel, seen);
  look_at_buffers(declared, channels, channel, seen);
  return seen;
}

std::vector<CouplingEye::Fate> CouplingEye::fates(const std::vector<ChannelUse>& declared,
                                                  bool zero_makers,
                                                  const std::vector<Tensor>& before,
                                                  std::int64_t channel) {
  std::vector<Tensor> zeroed;
  for (const Named& parameter : parameters_)
    for (const ChannelUse& use : declared)
      if (use.tensor == parameter.name && use.reads != zero_makers)
        zeroed.push_back(entries(use, channel));
  const ZeroedScope scope(std::move(zeroed));
  const auto after = gradients();
  std::vector<Fate> found;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor alive = before[i] != 0;
    found.push_back({alive, alive & (after[i] == 0)});
  }
  return found;
}

void CouplingEye::look_at_fates(const std::vector<ChannelUse>& declared, bool zero_makers,
                                const std::vector<Fate>& fates, std::int64_t channels,
                                std::int64_t channel, CouplingLook& seen) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [alive, vanished] = fates[i];
    Tensor own = torch::zeros_like(alive);
    for (const ChannelUse& use : declared) {
      if (use.tensor != parameters_[i].name) continue;
      const auto slab = [&](const Tensor& whole) {
        return whole.narrow(use.dimension, channel * use.stride, use.stride);
      };
      slab(own).fill_(true);
      if (use.reads != zero_makers) continue;  // these were zeroed themselves
      const bool vanishes = slab(alive).any().item<bool>() && slab(vanished).equal(slab(alive));
      if (!vanishes && !contains(seen.idle, use)) seen.idle.push_back(use);
    }
    if (auto use =
            use_of(parameters_[i].name, zero_makers, {alive, vanished, own}, channels, channel))
      seen.undeclared.push_back(std::move(*use));
  }
}

bool CouplingEye::moves_output(const Tensor& entries) {
  const Tensor kept = entries.clone();
  const Tensor before = output();
  entries.add_(1);
  const Tensor after = output();
  entries.copy_(kept);
  return !torch::equal(before, after);
}

void CouplingEye::look_at_buffers(const std::vector<ChannelUse>& declared, std::int64_t channels,
                                  std::int64_t channel, CouplingLook& seen) {
  std::vector<Tensor> readers;
  for (const ChannelUse& use : declared)
    if (use.reads) readers.push_back(entries(use, channel));
  for (const Named& buffer : buffers_) {
    if (buffer.tensor.size(0) % channels != 0) continue;
    ChannelUse use{buffer.name, false, 0, buffer.tensor.size(0) / channels};
    const Tensor moved = entries(use, channel);
    const bool heard = moves_output(moved);
    bool unread = false;
    {
      const ZeroedScope scope(readers);
      unread = !moves_output(moved);
    }
    const bool named = contains(declared, use);
    if (named && !(heard && unread)) seen.idle.push_back(use);
    if (!named && heard && unread) seen.undeclared.push_back(use);
  }
}

}  // namespace esper
