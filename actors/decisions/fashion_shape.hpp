#pragma once
// What plan, module and Python text of the normed fashion_cnn agree on.
#include <array>
#include <cstdint>

namespace esper {

/// Of its convolutions, 3 x 3 with a border of 1, in order; it has as many as it has widths.
inline constexpr std::array<std::uint32_t, 5> fashion_strides{2, 1, 2, 1, 1};

}  // namespace esper
