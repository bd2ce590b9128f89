#pragma once
// The hosts that come with Esper, described as data. gpu/fashion_cnn builds the modules; a test
// holds the two together.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/configuration.hpp"
#include "messages/host.hpp"

namespace esper {

[[nodiscard]] std::vector<std::string> host_names();
/// Empty for an unknown host.
[[nodiscard]] std::vector<std::string> host_sizes(const std::string& host);
/// Output channels of each convolution but the plain ones of melt; empty when unknown.
[[nodiscard]] std::vector<std::uint32_t> default_widths(const std::string& host,
                                                        const std::string& size);

/// Regions, edges, slots, coupled groups, parameters and operations, by formula. `widths` replaces
/// the host's own when not empty. Empty when the host, the size or the count of widths is unknown.
[[nodiscard]] std::optional<HostDescription> describe_host(
    const std::string& host, const std::string& size,
    const std::vector<std::uint32_t>& widths = {});

/// Widths, scaled alike, whose parameter count comes closest to `parameters`.
[[nodiscard]] std::vector<std::uint32_t> widened(const std::string& host, const std::string& size,
                                                 std::uint64_t parameters);

/// A parameter of the module with its count, named as torch names it ("conv0.weight").
struct NamedParameter {
  std::string name;
  std::uint64_t count{};
  std::uint64_t operations{};  ///< its layer's, at the layer's weight; 0 elsewhere
};
[[nodiscard]] std::vector<NamedParameter> parameters_of_host(
    const std::string& host, const std::string& size,
    const std::vector<std::uint32_t>& widths = {});

/// What is wrong with one region of a config.
struct RegionMistake {
  std::size_t index{};   ///< of the region in the config
  std::string sentence;
};

/// Replaces the regions by the config's; a slot goes to the region that holds the layer before it.
/// Any mistake (overlap, a prefix that matches nothing, parameters left over) changes nothing.
[[nodiscard]] std::vector<RegionMistake> recut(HostDescription& description,
                                               const std::vector<NamedParameter>& parameters,
                                               const std::vector<RegionConfig>& regions);

}  // namespace esper
