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
/// The usual one first. Empty for an unknown host.
[[nodiscard]] std::vector<std::string> host_sizes(const std::string& host);
/// Where Debian puts what the host is trained on: fashion_cnn a folder, byte_transformer a file.
/// Empty for an unknown host.
[[nodiscard]] std::string default_data_path(const std::string& host);
/// A target is in [0, classes). 0 for an unknown host.
[[nodiscard]] std::uint32_t classes_of(const std::string& host);

/// What no surgery changes of a byte_transformer.
struct TransformerShape {
  static constexpr std::uint32_t context = 128;     ///< positions
  static constexpr std::uint32_t vocabulary = 256;  ///< bytes
  std::uint32_t blocks{};
  std::uint32_t channels{};       ///< of the residual stream
  std::uint32_t head_channels{};  ///< of each attention head
};
/// Nothing for an unknown size.
[[nodiscard]] std::optional<TransformerShape> transformer_shape(const std::string& size);

/// One number per coupled group. Of fashion_cnn the convolutions' output channels, all of `melt`
/// alike; of byte_transformer each block's heads and feed-forward units. Empty for an unknown host
/// or size.
[[nodiscard]] std::vector<std::uint32_t> default_widths(const std::string& host,
                                                        const std::string& size);

/// Layers of a host; `widths` empty: the default ones. Empty for an unknown host or size, or for
/// widths of another number or with a zero, which of byte_transformer alone says something: that
/// block's attention or feed-forward layer has left, and its parameters have no entry.
[[nodiscard]] std::vector<HostLayer> host_layers(const std::string& host, const std::string& size,
                                                 const std::vector<std::uint32_t>& widths = {});
/// The host with its own cut into regions. Operations count convolutions, linear maps, attention's
/// scores and mixtures over the pairs of positions that may see each other, and one
/// multiply-accumulate per normalised element. Nothing where host_layers is empty.
[[nodiscard]] std::optional<HostDescription> describe_host(
    const std::string& host, const std::string& size,
    const std::vector<std::uint32_t>& widths = {});

/// Widths in the host's own proportions, each moved by at most one more channel, whose parameter
/// count comes closest to `parameters`. Of byte_transformer only feed-forward units change. Empty
/// for an unknown host or size.
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
