#pragma once
// Every host of ours, by name.
#include "gpu/host_model.hpp"
#include "messages/configuration.hpp"

namespace esper {

/// Builds a host; weights are drawn from LibTorch's global stream, so seed it first.
/// widths   empty: the size's own
/// dropout  before the head, [0, 1)
/// regions  empty: the host's own cut
/// Errors: std::runtime_error, one sentence, for an unknown host, size, widths or a bad cut.
[[nodiscard]] std::unique_ptr<HostModel> make_host(const std::string& host, const std::string& size,
                                                   const std::vector<std::uint32_t>& widths,
                                                   double dropout,
                                                   const std::vector<RegionConfig>& regions = {});

}  // namespace esper
