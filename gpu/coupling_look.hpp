#pragma once
// One look at a coupled group: which gradients vanish when a channel is neither made nor read.
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "gpu/host_model.hpp"

namespace esper {

/// What a tensor does with a channel, as found or as declared.
struct ChannelUse {
  std::string tensor;
  bool reads{};  ///< else it makes the channel
  std::int64_t dimension{-1};
  std::int64_t stride{1};  ///< -1 and 1: its entries are no slab of one dimension
  friend auto operator<=>(const ChannelUse&, const ChannelUse&) = default;
};

/// Seen once, of one channel with several draws of weights: what vanishes undeclared with each, and
/// what is declared and does not vanish with one.
struct CouplingLook {
  std::vector<ChannelUse> undeclared, idle;
};

/// How often each was seen.
struct CouplingVotes {
  int looks{};
  std::map<ChannelUse, int> undeclared, idle;
  void add(const CouplingLook& look);
  /// Leaves what three of four looks have seen. (Measured with one draw of weights per look: units
  /// that die by ReLU are taken for a coupling in one look of seven, in a deep host without norms
  /// in most; a true one is seen in 98 of 100 or more. With three draws the first was not seen
  /// again.)
  void settle();
  [[nodiscard]] bool empty() const { return undeclared.empty() && idle.empty(); }
};

class CouplingEye {
 public:
  /// host in evaluation mode and without seeds in its path.
  CouplingEye(HostModel& host, at::Tensor inputs, at::Generator generator);

  /// Draws new weights and norms' statistics: kaiming, with biases and scales positive, so that
  /// units live. Other buffers stay.
  void redraw();
  [[nodiscard]] CouplingLook look(const std::vector<ChannelUse>& declared, std::int64_t channels);
  /// The host's output, without a graph.
  [[nodiscard]] at::Tensor output();
  [[nodiscard]] std::int64_t draw_channel(std::int64_t channels);

 private:
  struct Named {
    std::string name;
    at::Tensor tensor;
  };

  /// Of one parameter's entries, bool: whose gradient was there, and whose of them has vanished.
  struct Fate {
    at::Tensor alive, vanished;
  };

  [[nodiscard]] std::vector<at::Tensor> gradients();
  [[nodiscard]] at::Tensor entries(const ChannelUse& use, std::int64_t channel);
  /// By parameter: what befell the gradients when the channel's makers, or readers, were zeroed.
  [[nodiscard]] std::vector<Fate> fates(const std::vector<ChannelUse>& declared, bool zero_makers,
                                        const std::vector<at::Tensor>& before,
                                        std::int64_t channel);
  void look_at_fates(const std::vector<ChannelUse>& declared, bool zero_makers,
                     const std::vector<Fate>& fates, std::int64_t channels, std::int64_t channel,
                     CouplingLook& seen);
  void look_at_buffers(const std::vector<ChannelUse>& declared, std::int64_t channels,
                       std::int64_t channel, CouplingLook& seen);
  [[nodiscard]] bool moves_output(const at::Tensor& entries);

  HostModel& host_;
  at::Tensor inputs_, direction_;
  at::Generator generator_;
  std::vector<Named> parameters_, buffers_;
};

}  // namespace esper
