#pragma once
// The hosts that we train, as data: what each size holds, counted by formula, without any tensor.
#include <optional>
#include <string>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/host.hpp"
#include "messages/result.hpp"

namespace esper {

/// One layer of a host, in the order in which activations flow.
struct HostLayer {
  struct Parameter {
    std::string name;  ///< as the module names it, "conv1.weight"
    std::vector<std::uint32_t> shape;
    std::uint64_t operations_per_element{};  ///< multiply-accumulates per sample
    [[nodiscard]] std::uint64_t count() const;
  };
  std::string name;
  std::vector<Parameter> parameters;
  [[nodiscard]] std::uint64_t operations() const;  ///< multiply-accumulates per sample, forward
  std::optional<SlotId> branch;                    ///< the branch slot beside it
  std::vector<SlotId> points_after;  ///< the point slots between it and the next layer
};

[[nodiscard]] std::vector<std::string> host_names();
/// Empty for an unknown host.
[[nodiscard]] std::vector<std::string> host_sizes(const std::string& host);
/// Output channels of the convolutions: one number per convolution, or one for all of `melt`.
/// Empty for an unknown host or size.
[[nodiscard]] std::vector<std::uint32_t> default_widths(const std::string& host,
                                                        const std::string& size);

/// Layers of a host; `widths` empty: the default ones. Empty for an unknown host or size, or for
/// widths of another number or with a zero.
[[nodiscard]] std::vector<HostLayer> host_layers(const std::string& host, const std::string& size,
                                                 const std::vector<std::uint32_t>& widths = {});
/// The host with its own cut into regions. Operations count convolutions, the linear head and one
/// multiply-accumulate per normalised element. Nothing where host_layers is empty.
[[nodiscard]] std::optional<HostDescription> describe_host(
    const std::string& host, const std::string& size,
    const std::vector<std::uint32_t>& widths = {});

/// Widths in the host's own proportions, each moved by at most one more channel, whose parameter
/// count comes closest to `parameters`. Empty for an unknown host or size.
[[nodiscard]] std::vector<std::uint32_t> widened(const std::string& host, const std::string& size,
                                                 std::uint64_t parameters);

/// The widths that describe a host of this shape, for host_layers; after surgery too.
[[nodiscard]] std::vector<std::uint32_t> widths_of(const HostDescription& host);

/// Every parameter's name, in the module's order.
[[nodiscard]] std::vector<std::string> parameter_names(const std::vector<HostLayer>& layers);

/// What is wrong with a cut; `region` is an index into the config's list, or its length when the
/// mistake belongs to no region.
struct RegionMistake {
  std::size_t region{};
  std::string problem;
};

/// Replaces the regions of `host`, whose layers are `layers`, by the prefixes in `regions`; an
/// empty list keeps the host's own cut. Says all mistakes at once (a prefix that matches nothing,
/// a parameter in two regions or in none, a region without a point slot, a repeated name) and then
/// changes nothing.
[[nodiscard]] std::vector<RegionMistake> recut(HostDescription& host,
                                               const std::vector<HostLayer>& layers,
                                               const std::vector<RegionConfig>& regions);

}  // namespace esper
