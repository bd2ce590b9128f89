#pragma once
// The host `fashion_cnn` in its sizes, as actors/decisions/host_catalogue describes it.
#include "gpu/host_model.hpp"

namespace esper {

/// Weights are drawn from LibTorch's global stream. `forward` takes images [batch, 1, 28, 28] and
/// gives logits [batch, 10].
/// widths   as many as the description's groups
/// dropout  before the head, [0, 1)
[[nodiscard]] std::unique_ptr<HostModel> make_fashion_cnn(HostDescription description,
                                                          const std::string& size,
                                                          const std::vector<std::uint32_t>& widths,
                                                          double dropout);

}  // namespace esper
